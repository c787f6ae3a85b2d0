// Lists that are the annotations of Kinetics, Something-Something and Charades, with their real layouts in
// miniature.

#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/log_capture.h"
#include "tests/video/list_case.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class KineticsList : public ListCase {
 protected:
  KineticsList()
      : ListCase(ListFormat::kinetics, LabelSet({"riding a bike", "tai chi", "dunking (basketball)"})) {
    root_ = folder_ / "videos";
    std::filesystem::create_directory(root_);
  }

  void add_video(const std::string& path) const { folder_.write("videos/" + path, ""); }

  std::vector<std::string> paths() const {
    const auto list = read(kRows);
    std::vector<std::string> paths;
    for (std::int64_t i = 0; i < list.size(); ++i)
      paths.push_back(std::filesystem::relative(list.entry(i).path, root_).string());
    return paths;
  }

  static constexpr const char* kRows =
      "label,youtube_id,time_start,time_end,split\n"
      "riding a bike,lost_1,3,13,train\n"
      "tai chi,-a_B,7,17,train\n"
      "dunking (basketball),c-d,120,130,train\n";
};

TEST_F(KineticsList, RowsGiveLabelsAndTheWholeOfTheClips) {
  add_video("tai chi/-a_B_000007_000017.mp4");
  const auto list = read(kRows);
  ASSERT_EQ(list.size(), 3);
  EXPECT_EQ(list.label_id(0), 0);
  EXPECT_EQ(list.label_id(1), 1);
  EXPECT_EQ(list.label_id(2), 2);
  EXPECT_TRUE(list.entry(1).range.whole()) << "the file is the clip";
  EXPECT_EQ(list.line(1), 3);
}

TEST_F(KineticsList, TheLayoutIsFoundByTheFirstVideosThatAreThere) {
  add_video("tai chi/-a_B_000007_000017.mp4");
  EXPECT_THAT(paths(), ElementsAre("riding a bike/lost_1_000003_000013.mp4", "tai chi/-a_B_000007_000017.mp4",
                                   "dunking (basketball)/c-d_000120_000130.mp4"));
}

TEST_F(KineticsList, ClassFoldersMayBeSpeltOtherwise) {
  add_video("tai_chi/-a_B_000007_000017.mkv");
  add_video("dunking_basketball/other.mkv");
  EXPECT_THAT(paths(), ElementsAre("riding a bike/lost_1_000003_000013.mkv", "tai_chi/-a_B_000007_000017.mkv",
                                   "dunking_basketball/c-d_000120_000130.mkv"));
}

TEST_F(KineticsList, SplitsMayHaveFolders) {
  add_video("train/-a_B_000007_000017.webm");
  EXPECT_THAT(paths(), ElementsAre("train/lost_1_000003_000013.webm", "train/-a_B_000007_000017.webm",
                                   "train/c-d_000120_000130.webm"));
  add_video("train/tai_chi/-a_B_000007_000017.mp4");
  std::filesystem::remove(root_ / "train/-a_B_000007_000017.webm");
  EXPECT_THAT(paths()[1], "train/tai_chi/-a_B_000007_000017.mp4");
}

TEST_F(KineticsList, NamesMayLackClassAndTimes) {
  add_video("c-d.avi");
  EXPECT_THAT(paths(), ElementsAre("lost_1.avi", "-a_B.avi", "c-d.avi"));
  std::filesystem::remove(root_ / "c-d.avi");
  add_video("c-d_000120_000130.mp4");
  EXPECT_THAT(paths(),
              ElementsAre("lost_1_000003_000013.mp4", "-a_B_000007_000017.mp4", "c-d_000120_000130.mp4"));
}

TEST_F(KineticsList, OfSeveralLayoutsTheOneWithMostVideosCounts) {
  add_video("-a_B.mp4");
  add_video("-a_B.webm");
  add_video("c-d.webm");
  EXPECT_THAT(paths(), ElementsAre("lost_1.webm", "-a_B.webm", "c-d.webm"));
}

TEST_F(KineticsList, WithoutAVideoTheErrorSaysWhereOneWasLookedFor) {
  EXPECT_THAT(complaint(kRows),
              AllOf(StartsWith(" none of its first 3 videos is below"),
                    HasSubstr("videos/riding a bike/lost_1_000003_000013.mp4"), HasSubstr("root")));
}

TEST_F(KineticsList, WhatIsMalformedIsNamedByFileAndLine) {
  add_video("a.mp4");
  const std::string header = "label,youtube_id,time_start,time_end,split\ntai chi,a,0,10,train\n";
  EXPECT_EQ(complaint(header + "tai,b,0,10,train\ntai_chi,c,0,10,train\n"),
            "3: 1 name that matches no label of the labels, or several: 'tai'; correct it there or here");
  EXPECT_THAT(complaint(header + ",b,0,10,test\n"), StartsWith("3: no label"));
  EXPECT_THAT(complaint(header + "tai chi,b,0,x,test\n"), StartsWith("3: time_end 'x'"));
  EXPECT_EQ(complaint("label,youtube_id,time_start,time_end,split\n"), "2: the list holds no video");
  labels_.reset();
  EXPECT_THAT(complaint(header), HasSubstr("data.labels in a configuration, --labels on the command line"));
}

class SomethingSomethingList : public ListCase {
 protected:
  SomethingSomethingList()
      : ListCase(ListFormat::something_something,
                 parse_labels(R"({"Holding something": "0", "Pushing something from left to right": "1"})",
                              "labels.json")) {}
};

TEST_F(SomethingSomethingList, ObjectsGiveFilesAndLabels) {
  root_ = "/data/ssv2";
  const auto list = read(R"([
{"id": "7", "label": "pushing a cup", "template": "Pushing [something] from left to right", "placeholders": ["a cup"]},
{"id": "300", "template": "Holding [something]"}])");
  ASSERT_EQ(list.size(), 2);
  EXPECT_EQ(list.entry(0).path, "/data/ssv2/7.webm");
  EXPECT_EQ(list.label_id(0), 1);
  EXPECT_EQ(list.entry(1).path, "/data/ssv2/300.webm");
  EXPECT_EQ(list.label_id(1), 0);
  EXPECT_EQ(list.line(1), 3);
}

TEST_F(SomethingSomethingList, WhatHasNoLabelIsNamedByFileAndLine) {
  EXPECT_THAT(complaint("[\n{\"id\": 7}]"), StartsWith("2: video 7 has no template"));
  EXPECT_EQ(
      complaint("[\n{\"id\": 7, \"template\": \"Holdin [something]\"}]"),
      "2: 1 name that matches no label of labels.json, or several: 'Holdin something' (nearest: 'Holding "
      "something'); correct it there or here");
  EXPECT_EQ(complaint("[\n]"), "2: the list holds no video");
  EXPECT_THAT(complaint("path,label\n"), StartsWith("1: is no JSON"));
}

class CharadesList : public ListCase {
 protected:
  CharadesList() : ListCase(ListFormat::charades, numbered_labels(157)) {}
};

TEST_F(CharadesList, VideosHaveTheLabelsOfTheirActions) {
  const LogCapture log;
  const auto list = read(
      "id,subject,actions,length\n46GP8,HR43,c092 11.90 21.20;c147 0.00 12.60;c092 0 1,24.83\n"
      "N11GT,0KZ7,,18.33\r\nAAAAA,X,c000 0 1,3\n");
  ASSERT_EQ(list.size(), 2);
  EXPECT_EQ(list.entry(0).path, folder_ / "46GP8.mp4");
  EXPECT_THAT(list.entry(0).label_ids, ElementsAre(92, 147));
  EXPECT_TRUE(list.entry(0).range.whole());
  EXPECT_THAT(list.entry(1).label_ids, ElementsAre(0));
  EXPECT_EQ(list.line(1), 4);
  EXPECT_THAT(log.text(), HasSubstr("list.txt: 1 videos show no action of a class, and are left out"));
}

TEST_F(CharadesList, MalformedRowsAreNamedByFileAndLine) {
  EXPECT_EQ(complaint("id,actions\na,c157 0 1\n"), "2: label id 157 is not in 0..156");
  EXPECT_THAT(complaint("id,actions\na,c1\n"), StartsWith("2: action 'c1'"));
  EXPECT_EQ(complaint("id,actions\na,\n"), "3: the list holds no video");
}

}  // namespace
}  // namespace actionclip
