// Videos as folders of frames.

#include "actionclip/video/extract.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"
#include "actionclip/video/frame_folder.h"
#include "actionclip/video/image_file.h"

#include "tests/parity/run_python.h"
#include "tests/temporary_folder.h"
#include "tests/video/test_videos.h"
#include "video/resize_image.h"

namespace actionclip {
namespace {

using actionclip::testing::encode_video;
using actionclip::testing::frame_number;
using ::testing::HasSubstr;

class Extract : public ::testing::Test {
 protected:
  VideoList list(const std::string& text, ListFormat format = ListFormat::video) {
    DatasetConfig config;
    config.list.path = folder_.write("train.txt", text);
    config.root.path = folder_ / "videos";
    config.format = format;
    return read_video_list(config, nullptr);
  }

  void add_video(const std::string& name, int frames) {
    const auto path = folder_ / ("videos/" + name);
    std::filesystem::create_directories(path.parent_path());
    encode_video(path, {.frames = frames});
  }

  std::filesystem::path out(const std::string& name) { return folder_ / ("out/" + name); }

  TemporaryFolder folder_;
};

TEST_F(Extract, FramesAndTheirListAreWhatTrainingReads) {
  add_video("a/#1; x.mp4", 7);
  add_video("b/2.mp4", 5);
  const auto report = extract_frames(list("a/#1; x.mp4 1\nb/2.mp4 0\n"), {.workers = 2}, folder_ / "out");
  EXPECT_EQ(report.videos, 2);
  EXPECT_EQ(report.frames, 12);
  EXPECT_EQ(report.skipped, 0);
  EXPECT_EQ(read_text(out("train.txt")), "a/#1; x 7 1\nb/2 5 0\n");

  DatasetConfig config;
  config.list.path = out("train.txt");
  config.format = ListFormat::frames;
  const auto frames = read_video_list(config, nullptr);
  const auto entry = frames.entry(0);
  FrameFolder frame_folder(entry.path, config.frame_pattern, config.index_bias, entry.frame_count);
  std::vector<std::int64_t> indices(7);
  std::iota(indices.begin(), indices.end(), 0);
  const auto images = frame_folder.read(indices);
  for (int i = 0; i < 7; ++i) EXPECT_EQ(frame_number(images[static_cast<std::size_t>(i)]), i);
  EXPECT_FALSE(std::filesystem::exists(entry.path / "img_00008.jpg"));
}

TEST_F(Extract, ASecondCallGoesOnWhereTheFirstWasKilled) {
  add_video("1.mp4", 4);
  add_video("2.mp4", 4);
  const auto both = list("1.mp4 0\n2.mp4 0\n");
  extract_frames(list("1.mp4 0\n"), {}, folder_ / "out");
  const auto time = std::filesystem::last_write_time(out("1/img_00001.jpg"));
  // Left by a process that is gone.
  folder_.write("out/2.tmp.999999999/img_00001.jpg", "half");
  const auto report = extract_frames(both, {}, folder_ / "out");
  EXPECT_EQ(report.skipped, 1);
  EXPECT_EQ(report.videos, 2);
  EXPECT_EQ(std::filesystem::last_write_time(out("1/img_00001.jpg")), time);
  EXPECT_FALSE(std::filesystem::exists(out("2.tmp.999999999")));
  EXPECT_EQ(read_text(out("train.txt")), "1 4 0\n2 4 0\n");
}

TEST_F(Extract, ABrokenVideoIsReportedAndLeftOutOfTheList) {
  add_video("1.mp4", 4);
  folder_.write("videos/2.mp4", "no video");
  const auto report = extract_frames(list("2.mp4 1\n1.mp4 0\n"), {}, folder_ / "out");
  ASSERT_EQ(report.failed.size(), 1u);
  EXPECT_EQ(report.failed[0].video, folder_ / "videos/2.mp4");
  EXPECT_THAT(report.failed[0].reason, HasSubstr("2.mp4"));
  EXPECT_EQ(read_text(out("train.txt")), "1 4 0\n");
  EXPECT_FALSE(std::filesystem::exists(out("2")));
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "out")) {
    EXPECT_THAT(entry.path().string(), ::testing::Not(HasSubstr(".tmp.")));
  }
}

TEST_F(Extract, LargerFramesAreMadeSmallerAndSmallerOnesKept) {
  add_video("1.mp4", 2);
  extract_frames(list("1.mp4 0\n"), {.short_side = 24}, folder_ / "out");
  const auto image = read_image(out("1/img_00001.jpg"));
  EXPECT_EQ(image.width, 32);
  EXPECT_EQ(image.height, 24);
  EXPECT_THROW(extract_frames(list("1.mp4 0\n"), {.short_side = 32}, folder_ / "out"), Error)
      << "frames of two sizes in one folder";
  extract_frames(list("1.mp4 0\n"), {.short_side = 480}, folder_ / "larger");
  EXPECT_EQ(read_image(folder_ / "larger/1/img_00001.jpg").height, 48);
}

TEST_F(Extract, AVideoOfSeveralLabelsGivesATable) {
  add_video("1.mp4", 3);
  extract_frames(list("path,label\n1.mp4,2;0\n", ListFormat::table), {}, folder_ / "out");
  EXPECT_EQ(read_text(out("train.csv")), "path,label,frames\n1,2;0,3\n");
}

TEST_F(Extract, AVideoThatIsListedTwiceIsDecodedOnce) {
  add_video("1.mp4", 3);
  const auto report = extract_frames(list("1.mp4 0\n1.mp4 1\n"), {.workers = 2}, folder_ / "out");
  EXPECT_EQ(report.videos, 1);
  EXPECT_EQ(report.frames, 3);
  EXPECT_EQ(read_text(out("train.txt")), "1 3 0\n1 3 1\n");
}

TEST_F(Extract, AFolderThatLostFramesIsHealed) {
  add_video("1.mp4", 5);
  add_video("2.mp4", 5);
  add_video("3.mp4", 5);
  const auto videos = list("1.mp4 0\n2.mp4 0\n3.mp4 0\n");
  extract_frames(videos, {}, folder_ / "out");
  std::filesystem::remove(out("1/img_00003.jpg"));
  std::filesystem::remove(out("2/img_00005.jpg"));  // the last, which no gap tells
  const auto report = extract_frames(videos, {}, folder_ / "out");
  EXPECT_TRUE(report.failed.empty());
  EXPECT_EQ(report.skipped, 1);
  EXPECT_EQ(report.frames, 15);
  EXPECT_TRUE(std::filesystem::exists(out("1/img_00003.jpg")));
  EXPECT_TRUE(std::filesystem::exists(out("2/img_00005.jpg")));
  EXPECT_EQ(read_text(out("train.txt")), "1 5 0\n2 5 0\n3 5 0\n");
  EXPECT_EQ(read_text(out("frame_counts.csv")), "folder,frames\n1,5\n2,5\n3,5\n");
}

TEST_F(Extract, OfTwoVideosOfOneNameTheSecondFailsAndTheOthersDoNot) {
  add_video("x.mp4", 4);
  add_video("x.avi", 4);
  add_video("y.mp4", 4);
  const auto report = extract_frames(list("x.mp4 0\nx.avi 1\nx.avi 1\ny.mp4 1\n"), {}, folder_ / "out");
  EXPECT_EQ(report.videos, 2);
  ASSERT_EQ(report.failed.size(), 1u);
  EXPECT_EQ(report.failed[0].reason, (folder_ / "videos/x.avi").string() +
                                         ": its frames would lie in the folder of " +
                                         (folder_ / "videos/x.mp4").string() + "; rename one of the two");
  EXPECT_EQ(read_text(out("train.txt")), "x 4 0\ny 4 1\n");
}

TEST_F(Extract, AnOutputAmongTheVideosOrOverTheListIsRefused) {
  add_video("a/1.mp4", 2);
  const auto videos = list("a/1.mp4 0\n");
  EXPECT_THROW(extract_frames(videos, {}, folder_ / "videos"), UsageError);
  EXPECT_THROW(extract_frames(videos, {}, folder_ / "videos/"), UsageError);
  EXPECT_THROW(extract_frames(videos, {}, folder_ / "videos/b/.."), UsageError);
  EXPECT_THROW(extract_frames(videos, {}, folder_ / "videos/a"), UsageError);
  EXPECT_THROW(extract_frames(videos, {}, folder_.path()), UsageError) << "train.txt";
  EXPECT_EQ(read_text(folder_ / "train.txt"), "a/1.mp4 0\n");
  extract_frames(videos, {}, folder_ / "videos/frames");
  EXPECT_EQ(read_text(folder_ / "videos/frames/train.txt"), "a/1 2 0\n");
}

TEST_F(Extract, WhatHasNoPlaceOrNoTimesIsRefused) {
  add_video("1.mp4", 2);
  const auto refuse = [&](const VideoList& videos, const std::string& reason) {
    try {
      extract_frames(videos, {}, folder_ / "out");
      ADD_FAILURE() << reason;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr(reason));
    }
  };
  refuse(list("../1.mp4 0\n"), "train.txt:1: ");
  refuse(list("path,label,start,end\n1.mp4,0,0.5,1\n", ListFormat::table), "a part of a video");
  EXPECT_THROW(extract_frames(list("1.mp4 0\n"), {.quality = 0}, folder_ / "out"), Error);
}

TEST_F(Extract, ResizingIsPillowsBicubic) {
  for (const auto& [width, height, side] :
       std::vector<std::array<std::int64_t, 3>>{{97, 61, 32}, {40, 66, 23}}) {
    const std::int64_t new_width = width < height ? side : side * width / height;
    const std::int64_t new_height = width < height ? side * height / width : side;
    run_python("resize_reference.py", {folder_.path().string(), std::to_string(width), std::to_string(height),
                                       std::to_string(new_width), std::to_string(new_height)});
    const std::string input = read_text(folder_ / "input.rgb"), expected = read_text(folder_ / "output.rgb");
    const Image image{width, height, {input.begin(), input.end()}};
    const Image resized = resize_short_side(image, side);
    ASSERT_EQ(resized.width, new_width);
    ASSERT_EQ(resized.height, new_height);
    ASSERT_EQ(resized.rgb.size(), expected.size());
    int largest = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      largest = std::max(largest, std::abs(resized.rgb[i] - static_cast<std::uint8_t>(expected[i])));
    }
    EXPECT_LE(largest, 2) << width;
  }
}

}  // namespace
}  // namespace actionclip
