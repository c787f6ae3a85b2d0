// Lists that are tables.

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/video/list_case.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class TableList : public ListCase {
 protected:
  TableList() : ListCase(ListFormat::table, LabelSet({"boxing", "riding a bike", "brush hair", "clap"})) {}

  std::string row_complaint(const std::string& row) const {
    return complaint("path,label,start,end,frames\n" + row + "\n");
  }
};

TEST_F(TableList, RowsGivePathLabelTimesAndFrames) {
  const auto list = read(
      "path,label,start,end,frames\n"
      "a.mp4,3,1.5,4,\n"
      "b.mp4,0,,,\n"
      "c.mp4,1,2,,\n"
      "folder,2,,,30\n");
  ASSERT_EQ(list.size(), 4);
  const auto first = list.entry(0);
  EXPECT_EQ(first.path, folder_ / "a.mp4");
  EXPECT_THAT(first.label_ids, ElementsAre(3));
  EXPECT_EQ(first.range, (TimeRange{1.5, 4}));
  EXPECT_EQ(first.frame_count, -1);
  EXPECT_EQ(first.line, 2);
  EXPECT_TRUE(list.entry(1).range.whole());
  EXPECT_EQ(list.entry(2).range, (TimeRange{.start = 2}));
  EXPECT_EQ(list.entry(3).frame_count, 30);
  EXPECT_TRUE(list.entry(3).range.whole());
}

TEST_F(TableList, ColumnsComeInAnyOrderAndOnlyTwoAreNeeded) {
  const auto list = read("\xEF\xBB\xBF end , label,path\r\n9,1,a.mp4\r\n\r\n,clap,b.mp4");
  ASSERT_EQ(list.size(), 2);
  EXPECT_EQ(list.entry(0).range, (TimeRange{0, 9}));
  EXPECT_EQ(list.label_id(0), 1);
  EXPECT_EQ(list.entry(1).path, folder_ / "b.mp4");
  EXPECT_EQ(list.label_id(1), 3);
  EXPECT_EQ(list.line(1), 4);
  EXPECT_EQ(read("path,label\na,0\n").size(), 1);
}

TEST_F(TableList, PathsMayHoldAnything) {
  root_ = "/data";
  const auto list = read(
      "path,label\n\"a, \"\"b\"\".mp4\",0\nc d.mp4,0\n\"two\nlines\",0\ncaf\xe9.mp4,0\n/e.mp4,1\n# "
      "1.mp4,2\n");
  ASSERT_EQ(list.size(), 6);
  EXPECT_EQ(list.entry(0).path, "/data/a, \"b\".mp4");
  EXPECT_EQ(list.entry(1).path, "/data/c d.mp4");
  EXPECT_EQ(list.entry(2).path, "/data/two\nlines");
  EXPECT_EQ(list.entry(3).path.string(), "/data/caf\xe9.mp4");
  EXPECT_EQ(list.entry(3).line, 6);
  EXPECT_EQ(list.entry(4).path, "/e.mp4");
  EXPECT_EQ(list.entry(5).path, "/data/# 1.mp4") << "a table has no comments";
}

TEST_F(TableList, AFieldOfSeveralLabelsGivesAll) {
  const auto ids = [&](const std::string& label) {
    return read("path,label\na.mp4,\"" + label + "\"\n").entry(0).label_ids;
  };
  EXPECT_THAT(ids("3;0"), ElementsAre(3, 0));
  EXPECT_THAT(ids(" 3 0\t1 "), ElementsAre(3, 0, 1));
  EXPECT_THAT(ids("3; 0 1 ;2"), ElementsAre(3, 0, 1, 2));
  EXPECT_THAT(ids("clap;brush_hair"), ElementsAre(3, 2));
  EXPECT_THAT(ids("riding a bike; 0"), ElementsAre(1, 0));
  EXPECT_THAT(ids("BrushHair"), ElementsAre(2));
}

TEST_F(TableList, NamesNeedLabelsAndIdsDoNot) {
  labels_.reset();
  EXPECT_EQ(read("path,label\na,1234\n").label_id(0), 1234);
  EXPECT_EQ(
      complaint("path,label\na,clap\n"),
      "2: label 'clap' is not an id, and no labels are known; give the file of the labels: data.labels in a "
      "configuration, --labels on the command line");
}

TEST_F(TableList, NamesThatMatchNoLabelAreListedTogether) {
  EXPECT_EQ(complaint("path,label\na,0\nb,clup\nc,\"juggling; clup\"\n"),
            "3: 2 names that match no label of the labels, or several: 'clup' (nearest: 'clap'), 'juggling'; "
            "correct them there or here");
}

TEST_F(TableList, AHeaderThatIsNotUnderstoodIsNamed) {
  EXPECT_EQ(complaint("a.mp4,3\n"), "1: the header has no column 'path'; it has: a.mp4, 3");
  EXPECT_EQ(complaint("path,lable\n"), "1: the header has no column 'label'; it has: path, lable");
  EXPECT_EQ(complaint("\n\npath,label,strat\n"),
            "3: unknown column 'strat' (nearest: 'start'); a table has: path, label, start, end, frames");
  EXPECT_EQ(complaint("path,label,fps\n"),
            "1: unknown column 'fps'; a table has: path, label, start, end, frames");
  EXPECT_EQ(complaint("path,label,path\n"), "1: column 'path' has no name of its own");
  EXPECT_EQ(complaint("path,label,\n"), "1: column '' has no name of its own");
  EXPECT_EQ(complaint(""), "1: the first line must be a header, but there is none");
  EXPECT_EQ(complaint("path,label\n"), "2: the list holds no video");
}

TEST_F(TableList, MalformedRowsAreNamedByFileAndLine) {
  EXPECT_THAT(row_complaint("a,0,,"), StartsWith("2: 4 fields where the header has 5"));
  EXPECT_EQ(row_complaint(" ,0,,,"), "2: the path is empty");
  EXPECT_EQ(row_complaint("a,,,,"), "2: the label is empty");
  EXPECT_EQ(row_complaint("a, ; ,,,"), "2: of the labels ';' one is empty");
  EXPECT_EQ(row_complaint("a,0;,,,"), "2: of the labels '0;' one is empty");
  EXPECT_EQ(row_complaint("a,0;;1,,,"), "2: of the labels '0;;1' one is empty");
  EXPECT_EQ(row_complaint("a,0;0;1,,,"), "2: of the labels '0;0;1' the one of id 0 stands twice");
  EXPECT_EQ(row_complaint("a,3 3,,,"), "2: of the labels '3 3' the one of id 3 stands twice");
  EXPECT_EQ(row_complaint("a,2;clap;brush_hair,,,"),
            "2: of the labels '2;clap;brush_hair' the one of id 2 stands twice");
  EXPECT_EQ(row_complaint("a,4,,,"), "2: label id 4 is not in 0..3");
  EXPECT_EQ(row_complaint("a,0;-1,,,"), "2: label id -1 is not in 0..3");
  EXPECT_EQ(row_complaint("a,0,x,,"), "2: start 'x' is not a number of seconds");
  EXPECT_EQ(row_complaint("a,0,,inf,"), "2: end 'inf' is not a number of seconds");
  EXPECT_THAT(row_complaint("a,0,3,3,"), StartsWith("2: the part from 3 to 3 seconds is none"));
  EXPECT_THAT(row_complaint("a,0,-1,3,"), StartsWith("2: the part from -1 to 3 seconds is none"));
  EXPECT_EQ(row_complaint("a,0,,,x"), "2: frame count 'x' is not a positive integer");
  EXPECT_EQ(row_complaint("a,0,,,0"), "2: frame count '0' is not a positive integer");
  EXPECT_THAT(row_complaint("a,0,,,2147483649"), HasSubstr("is more than the 2147483648"));
  EXPECT_THAT(row_complaint("a,0,1,2,30"), StartsWith("2: a frame folder has no times"));
  EXPECT_EQ(row_complaint("a,0,,,\n\n\"b"), "4: a quoted field has no closing quote");
  EXPECT_THAT(row_complaint("a,0,,,\nb\"c,0,,,"), StartsWith("3: a quote"));
  EXPECT_THAT(complaint(std::string("path,label\na\0,1\n", 15)), StartsWith("2: holds a zero byte"));
}

TEST_F(TableList, ItsOwnLabelsAreTheNamesInItUnlessItHasIds) {
  DatasetConfig config;
  config.format = ListFormat::table;
  config.list.path = folder_.write("own.csv", "path,label\na,clap;run\nb,boxing\nc,run\n");
  const auto own = own_labels(config);
  ASSERT_TRUE(own);
  EXPECT_THAT(own->names(), ElementsAre("boxing", "clap", "run"));
  EXPECT_THAT(read_video_list(config, &*own).entry(0).label_ids, ElementsAre(1, 2));
  folder_.write("own.csv", "path,label\na,clap\nb,3\n");
  EXPECT_FALSE(own_labels(config));
  folder_.write("own.csv", "path,label\na,0\nb,3;1\n");
  EXPECT_FALSE(own_labels(config));
}

TEST_F(TableList, LabelIdsBeforeNamesDecideWhatIsANumber) {
  labels_ = LabelSet({"1", "0"});
  EXPECT_EQ(read("path,label\na,1\n").label_id(0), 1) << "an id, though a label is called so";
}

}  // namespace
}  // namespace actionclip
