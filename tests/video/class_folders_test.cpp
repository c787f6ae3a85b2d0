// A folder of videos for each class as a list.

#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"
#include "actionclip/video/video_list.h"

#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ClassFolders : public ::testing::Test {
 protected:
  ClassFolders() {
    for (const auto* file : {"videos/ApplyEyeMakeup/v_2.avi", "videos/ApplyEyeMakeup/v_10.AVI",
                             "videos/brush_hair/b.mp4", "videos/brush_hair/a frames/img_00001.jpg"})
      folder_.write(file, "");
  }

  VideoList read(const std::string& name = "videos") const {
    DatasetConfig config;
    config.list.path = folder_ / name;
    config.format = ListFormat::class_folders;
    return read_video_list(config, &labels_);
  }

  std::string error_of() const {
    try {
      read();
    } catch (const Error& problem) {
      return problem.what();
    }
    return "no error";
  }

  std::vector<std::string> paths(const VideoList& list) const {
    std::vector<std::string> paths;
    for (std::int64_t i = 0; i < list.size(); ++i)
      paths.push_back(std::filesystem::relative(list.entry(i).path, folder_ / "videos").string());
    return paths;
  }

  const TemporaryFolder folder_;
  const LabelSet labels_{{"brush hair", "boxing", "apply eye makeup"}};
};

TEST_F(ClassFolders, VideosAndFrameFoldersComeSortedWithTheirLabels) {
  const auto list = read();
  EXPECT_THAT(paths(list), ElementsAre("ApplyEyeMakeup/v_10.AVI", "ApplyEyeMakeup/v_2.avi",
                                       "brush_hair/a frames", "brush_hair/b.mp4"));
  EXPECT_EQ(list.label_id(0), 2);
  EXPECT_EQ(list.label_id(1), 2);
  EXPECT_EQ(list.label_id(2), 0);
  EXPECT_EQ(list.line(0), 1);
  EXPECT_EQ(list.line(3), 4);
}

TEST_F(ClassFolders, WhatIsNoVideoIsPassedOver) {
  const auto before = read().fingerprint();
  for (const auto* file :
       {"videos/readme.txt", "videos/list.mp4", "videos/.cache/x.mp4", "videos/brush_hair/.hidden.mp4",
        "videos/brush_hair/notes.txt", "videos/licences/a.txt"})
    folder_.write(file, "");
  EXPECT_EQ(read().size(), 4);
  EXPECT_EQ(read().fingerprint(), before);
}

TEST_F(ClassFolders, TheFingerprintIsOfTheNames) {
  const auto before = read().fingerprint();
  folder_.write("videos/brush_hair/b.mp4", "other content");
  EXPECT_EQ(read().fingerprint(), before);
  std::filesystem::rename(folder_ / "videos/brush_hair/b.mp4", folder_ / "videos/ApplyEyeMakeup/b.mp4");
  EXPECT_NE(read().fingerprint(), before);
}

TEST_F(ClassFolders, WhatIsKeptBesideTheListIsNotInIt) {
  EXPECT_EQ(read("videos/").file(), folder_ / "videos");
}

TEST_F(ClassFolders, FoldersThatAreNoClassAreNamed) {
  folder_.write("videos/Brush-Hairs/a.mp4", "");
  folder_.write("videos/juggling/a.mp4", "");
  EXPECT_THAT(error_of(), AllOf(HasSubstr("2 names that match no label of the labels"),
                                HasSubstr("'Brush-Hairs' (nearest: 'brush hair')"), HasSubstr("'juggling'")));
}

TEST_F(ClassFolders, AnEmptyOrMissingFolderIsAnError) {
  std::filesystem::remove_all(folder_ / "videos/ApplyEyeMakeup");
  std::filesystem::remove_all(folder_ / "videos/brush_hair");
  EXPECT_THAT(error_of(), HasSubstr("videos: holds no folder of a class"));
  std::filesystem::remove_all(folder_ / "videos");
  EXPECT_THAT(error_of(), HasSubstr("videos: cannot be read: No such file"));
}

TEST_F(ClassFolders, NeedLabels) {
  DatasetConfig config;
  config.list.path = folder_ / "videos";
  config.format = ListFormat::class_folders;
  EXPECT_THROW(read_video_list(config, nullptr), Error);
  EXPECT_THROW(parse_video_list("a 1\n", config, &labels_), Error);
}

TEST_F(ClassFolders, TheirOwnLabelsAreTheFoldersThatHoldVideos) {
  folder_.write("videos/licences/a.txt", "");
  DatasetConfig config;
  config.list.path = folder_ / "videos";
  config.format = ListFormat::class_folders;
  const auto own = own_labels(config);
  ASSERT_TRUE(own);
  EXPECT_THAT(own->names(), ElementsAre("ApplyEyeMakeup", "brush_hair"));
  EXPECT_EQ(read_video_list(config, &*own).label_id(3), 1);
}

TEST_F(ClassFolders, NamesNeedNotBeUtf8) {
  folder_.write("videos/brush_hair/caf\xe9.mp4", "");
  EXPECT_EQ(paths(read()).at(4), "brush_hair/caf\xe9.mp4");
}

}  // namespace
}  // namespace actionclip
