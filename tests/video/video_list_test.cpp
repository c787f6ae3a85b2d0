#include "actionclip/video/video_list.h"

#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"

#include "tests/child_process.h"
#include "tests/video/list_case.h"

namespace actionclip {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;

class VideoListTest : public ListCase {
 protected:
  VideoListTest() : ListCase(ListFormat::video, numbered_labels(10)) {}
};

TEST_F(VideoListTest, VideoLinesGivePathAndLabel) {
  const auto list = read("a.mp4 3\nsub/b c.mp4 0\n");
  ASSERT_EQ(list.size(), 2);
  EXPECT_EQ(list.file(), folder_ / "list.txt");
  EXPECT_EQ(list.entry(0).path, folder_ / "a.mp4");
  EXPECT_EQ(list.label_id(0), 3);
  EXPECT_EQ(list.entry(0).frame_count, -1);
  EXPECT_EQ(list.entry(0).line, 1);
  EXPECT_EQ(list.entry(1).path, folder_ / "sub/b c.mp4");
  EXPECT_EQ(list.label_id(1), 0);
  EXPECT_EQ(list.entry(1).line, 2);
}

TEST_F(VideoListTest, BehindAVideoFileSeveralLabelsMayStand) {
  const auto list = read("a b.mp4 3 9\nsub 1/c.MKV 0 1 2\nfolder 4 5\nd.mp4 7 e.mp4 6\n");
  EXPECT_EQ(list.entry(0).path, folder_ / "a b.mp4");
  EXPECT_THAT(list.entry(0).label_ids, ElementsAre(3, 9));
  EXPECT_EQ(list.entry(1).path, folder_ / "sub 1/c.MKV");
  EXPECT_THAT(list.entry(1).label_ids, ElementsAre(0, 1, 2));
  EXPECT_EQ(list.entry(2).path, folder_ / "folder 4") << "no video file's name: its own number";
  EXPECT_THAT(list.entry(2).label_ids, ElementsAre(5));
  EXPECT_EQ(list.entry(3).path, folder_ / "d.mp4 7 e.mp4");
  EXPECT_THAT(complaint("a.mp4 3 10\n"), HasSubstr("label id 10 is not in 0..9"));
  EXPECT_THAT(complaint("a.mp4 3 5 3\n"), HasSubstr("label id 3 stands twice"));
  EXPECT_THAT(complaint("a.mp4 10 3\n"), HasSubstr("label id 10 is not in 0..9"));
}

TEST_F(VideoListTest, FrameLinesGivePathCountAndLabel) {
  const auto list = read("folder 1 of 2 300 9\n", ListFormat::frames);
  ASSERT_EQ(list.size(), 1);
  EXPECT_EQ(list.entry(0).path, folder_ / "folder 1 of 2");
  EXPECT_EQ(list.entry(0).frame_count, 300);
  EXPECT_EQ(list.label_id(0), 9);
}

TEST_F(VideoListTest, PathsAreRelativeToTheRootUnlessAbsolute) {
  root_ = "/data/videos";
  const auto list = read("a.mp4 1\n/other/b.mp4 2\n");
  EXPECT_EQ(list.entry(0).path, "/data/videos/a.mp4");
  EXPECT_EQ(list.entry(1).path, "/other/b.mp4");
}

TEST_F(VideoListTest, SkipsEmptyLinesCommentsMarksAndWindowsLineEnds) {
  const auto list = read("\xEF\xBB\xBF# a comment\r\n\r\n  \t\na.mp4\t4  \r\n   # another\nb.mp4 5");
  ASSERT_EQ(list.size(), 2);
  EXPECT_EQ(list.entry(0).path, folder_ / "a.mp4");
  EXPECT_EQ(list.entry(0).line, 4);
  EXPECT_EQ(list.entry(1).path, folder_ / "b.mp4");
  EXPECT_EQ(list.entry(1).line, 6);
}

TEST_F(VideoListTest, AHashIsAPathsFirstCharacterUnlessABlankFollows) {
  const auto list = read(
      "#20_Rhythm_clap_u_nm_np1_fr_goo_0.avi 4\n# 7\n#\t8\n#\n#\r\n./# 1.avi 5\n"
      "## a heading 6\n");
  ASSERT_EQ(list.size(), 3);
  EXPECT_EQ(list.entry(0).path, folder_ / "#20_Rhythm_clap_u_nm_np1_fr_goo_0.avi");
  EXPECT_EQ(list.label_id(0), 4);
  EXPECT_EQ(list.entry(1).path.filename(), "# 1.avi");
  EXPECT_EQ(list.entry(1).line, 6);
  EXPECT_EQ(list.entry(2).path, folder_ / "## a heading");
  EXPECT_EQ(complaint("#a note\na.mp4 1\n"), "1: label id 'note' is not an integer (expected PATH LABEL_ID)");
  const auto frames = read("#1 30 9\n", ListFormat::frames);
  EXPECT_EQ(frames.entry(0).path, folder_ / "#1");
  const auto captions = read("path,caption\n#1.png,a cat\n# 2.png,a dog\n", ListFormat::captions);
  ASSERT_EQ(captions.size(), 2);
  EXPECT_EQ(captions.entry(1).path, folder_ / "# 2.png");
}

TEST_F(VideoListTest, MalformedLinesAreNamedByFileAndLine) {
  EXPECT_EQ(complaint("a.mp4 1\nb.mp4\n"), "2: expected PATH LABEL_ID");
  EXPECT_EQ(complaint("a.mp4 run\n"), "1: label id 'run' is not an integer (expected PATH LABEL_ID)");
  EXPECT_THAT(complaint("a.mp4 1.5\n"), HasSubstr("'1.5'"));
  EXPECT_THAT(complaint("a.mp4 99999999999999999999\n"), HasSubstr("is not an integer"));
  EXPECT_EQ(complaint("a 5\n", ListFormat::frames), "1: expected PATH NUM_FRAMES LABEL_ID");
  EXPECT_THAT(complaint("# c\n\na many 5\n", ListFormat::frames),
              ::testing::StartsWith("3: frame count 'many'"));
  EXPECT_THAT(complaint("a 0 5\n", ListFormat::frames), HasSubstr("frame count '0' is not a positive"));
  EXPECT_THAT(complaint("a -3 5\n", ListFormat::frames), HasSubstr("frame count '-3'"));
  EXPECT_EQ(read("a 2147483648 5\n", ListFormat::frames).entry(0).frame_count, 2147483648);
  EXPECT_EQ(complaint("a 2147483649 5\n", ListFormat::frames),
            "1: frame count 2147483649 is more than the 2147483648 that a video may have");
  EXPECT_THAT(complaint(std::string("a 1\nb\0 2\n", 9)), ::testing::StartsWith("2: holds a zero byte"));
}

TEST_F(VideoListTest, ATextAtHandIsReadAsTheFileOfItsNameWouldBe) {
  DatasetConfig config;
  config.list.path = "/lists/absent.txt";
  const auto labels = numbered_labels(10);
  const auto list = parse_video_list("a.mp4 1\n", config, &labels);
  EXPECT_EQ(list.file(), "/lists/absent.txt");
  EXPECT_EQ(list.entry(0).path, "/lists/a.mp4");
  try {
    parse_video_list("a.mp4 10\n", config, &labels);
    FAIL() << "accepted";
  } catch (const Error& problem) {
    EXPECT_STREQ(problem.what(), "/lists/absent.txt:1: label id 10 is not in 0..9");
  }
}

TEST_F(VideoListTest, LabelIdsOutsideTheLabelSetAreRefused) {
  EXPECT_EQ(complaint("a 9\nb 10\n"), "2: label id 10 is not in 0..9");
  EXPECT_EQ(complaint("a -1\n"), "1: label id -1 is not in 0..9");
  labels_.reset();
  EXPECT_EQ(read("a 12345\n").label_id(0), 12345);
  EXPECT_EQ(read("a 2147483647\n").label_id(0), 2147483647);
  EXPECT_EQ(complaint("a 2147483648\n"), "1: label id 2147483648 is not in 0..2147483647");
  EXPECT_EQ(complaint("a -1\n"), "1: label id -1 is not in 0..2147483647");
}

TEST_F(VideoListTest, EmptyOrMissingListIsAnError) {
  EXPECT_THAT(complaint(""), EndsWith("the list holds no video"));
  EXPECT_THAT(complaint("# nothing\n\n"), EndsWith("the list holds no video"));
  EXPECT_THAT(complaint("path,caption\n", ListFormat::captions), EndsWith("the list holds no video"));
  DatasetConfig config;
  config.list.path = folder_ / "missing.txt";
  EXPECT_THROW(read_video_list(config, nullptr), Error);
}

TEST_F(VideoListTest, CaptionsFollowRfc4180) {
  const auto list = read(
      "path,caption\r\n"
      "a.png,a cat sleeps\r\n"
      "\"b, c.mp4\",\"she said \"\"run\"\", and\nran\"\r\n"
      "d.png,last one",
      ListFormat::captions);
  ASSERT_EQ(list.size(), 3);
  EXPECT_EQ(list.entry(0).path, folder_ / "a.png");
  EXPECT_EQ(list.entry(0).caption, "a cat sleeps");
  EXPECT_EQ(list.label_id(0), -1);
  EXPECT_EQ(list.entry(1).path, folder_ / "b, c.mp4");
  EXPECT_EQ(list.entry(1).caption, "she said \"run\", and\nran");
  EXPECT_EQ(list.entry(1).line, 3);
  EXPECT_EQ(list.entry(2).caption, "last one");
  EXPECT_EQ(list.entry(2).line, 5);
}

TEST_F(VideoListTest, MalformedCaptionsAreNamedByFileAndLine) {
  const auto captions = [&](const std::string& lines) { return complaint(lines, ListFormat::captions); };
  EXPECT_EQ(captions("a.png,a cat\n"), "1: the first line must be the header path,caption");
  EXPECT_THAT(captions("path,caption\na.png,a cat, a dog\n"),
              ::testing::StartsWith("2: 3 fields, expected 2"));
  EXPECT_THAT(captions("path,caption\na.png\n"), ::testing::StartsWith("2: 1 fields"));
  EXPECT_EQ(captions("path,caption\n,a cat\n"), "2: the path is empty");
  EXPECT_EQ(captions("path,caption\na.png, \n"), "2: the caption is empty");
  EXPECT_EQ(captions("path,caption\na,b\nc,\"open\n\n"), "3: a quoted field has no closing quote");
  EXPECT_THAT(captions("path,caption\na,\"b\"c\n"), ::testing::StartsWith("2: a quote"));
  EXPECT_THAT(captions("path,caption\n\"x\ny\",b\na,b\"c\n"), ::testing::StartsWith("4: a quote"));
}

TEST_F(VideoListTest, PathsNeedNotBeUtf8) {
  const auto list = read("caf\xe9/\xff.mp4 3\n");
  EXPECT_EQ(list.entry(0).path.string(), (folder_ / "caf\xe9/\xff.mp4").string());
}

TEST_F(VideoListTest, TheFingerprintIsOfTheFilesBytes) {
  const auto list = read("\xEF\xBB\xBF# a comment\r\na.mp4 3\n");
  EXPECT_EQ(list.fingerprint(), sha256_of_file(folder_ / "list.txt"));
  EXPECT_NE(read("a.mp4 3\n").fingerprint(), list.fingerprint()) << "the same videos, other bytes";
  EXPECT_EQ(VideoList().fingerprint(), "");
}

TEST(VideoListEntries, AreGivenBackAsTheyWereAdded) {
  const std::string long_caption(3u << 20, 'x');  // more than a block of text
  const std::vector<VideoEntry> entries = {
      {.path = "/a", .label_ids = {3}, .frame_count = 1, .range = {}, .caption = "", .line = 7},
      {.path = "/b", .label_ids = {}, .frame_count = -1, .range = {}, .caption = "a cat", .line = 8},
      {.path = "/c", .label_ids = {5, 0, 9}, .frame_count = -1, .range = {1.5, 4}, .caption = "", .line = 9},
      {.path = "/d", .label_ids = {1}, .frame_count = std::int64_t{1} << 31, .range = {}, .line = 10},
      {.path = "/e", .label_ids = {1}, .range = {.start = 2}, .caption = long_caption, .line = 11},
      {.path = "/f", .label_ids = {4, 2}, .line = 12}};
  VideoList list;
  for (const auto& entry : entries) list.add(entry);
  const VideoList copy = list;
  ASSERT_EQ(copy.size(), 6);
  for (std::int64_t i = 0; i < copy.size(); ++i) {
    const auto& expected = entries.at(static_cast<std::size_t>(i));
    const auto entry = copy.entry(i);
    EXPECT_EQ(entry.path, expected.path);
    EXPECT_EQ(entry.label_ids, expected.label_ids);
    EXPECT_EQ(entry.label_id(), expected.label_id());
    EXPECT_EQ(entry.frame_count, expected.frame_count);
    EXPECT_EQ(entry.range, expected.range);
    EXPECT_EQ(entry.caption, expected.caption);
    EXPECT_EQ(entry.line, expected.line);
    EXPECT_EQ(copy.label_id(i), expected.label_id());
    EXPECT_EQ(copy.label_count(i), expected.label_ids.size());
    EXPECT_EQ(copy.line(i), expected.line);
  }
  EXPECT_THROW(copy.entry(6), std::out_of_range);
  EXPECT_THROW(copy.entry(-1), std::out_of_range);
  EXPECT_THROW(copy.label_id(6), std::out_of_range);
}

TEST(VideoListEntries, ACopyThatGrowsLeavesTheOriginalAlone) {
  VideoList list;
  list.add(VideoEntry{.path = "/a", .label_ids = {0}});
  VideoList copy = list;
  copy.add(VideoEntry{.path = "/b", .label_ids = {1, 2}});
  list.add(VideoEntry{.path = "/c", .label_ids = {3, 4}});
  EXPECT_EQ(copy.entry(1).path, "/b");
  EXPECT_EQ(list.entry(1).path, "/c");
  EXPECT_EQ(copy.entry(0).path, "/a");
}

TEST(VideoListEntries, SeveralLabelsAreRefusedWhereOneIsTaken) {
  DatasetConfig config;
  config.list.path = "val.csv";
  VideoList list(config);
  list.add(VideoEntry{.path = "a", .label_ids = {0}, .line = 2});
  list.add(VideoEntry{.path = "b", .label_ids = {}, .caption = "a cat", .line = 3});
  EXPECT_NO_THROW(require_single_labels(list, "few-shot"));
  list.add(VideoEntry{.path = "c", .label_ids = {1, 2}, .line = 4});
  try {
    require_single_labels(list, "few-shot");
    FAIL() << "accepted";
  } catch (const Error& problem) {
    EXPECT_STREQ(
        problem.what(),
        "val.csv:4: a video of 2 labels, but few-shot takes lists of one label a video; give another "
        "list");
  }
}

// A million lines of 60 bytes.
std::string long_list(ListFormat format) {
  constexpr int kVideos = 1'000'000;
  std::string text;
  text.reserve(61u * kVideos);
  const bool is_table = format == ListFormat::table;
  if (is_table) text += "path,label\n";
  for (int i = 0; i < kVideos; ++i) {
    text += fmt::format("train/class_{:03}/video_named_so_far_{:09}_{:06}.mp4{}{:3}\n", i % 400, i, i % 97,
                        is_table ? "," : " ", i % 400);
  }
  return text;
}

class LongVideoList : public ::testing::TestWithParam<ListFormat> {};

TEST_P(LongVideoList, OfAMillionVideosTakesLittleMemory) {
  const TemporaryFolder folder;
  {
    const auto text = long_list(GetParam());
    ASSERT_NEAR(static_cast<double>(text.size()), 60e6, 100);
    write_text(folder / "list.txt", text);
  }
  const auto report = run_in_child(folder.path(), [] {
    const auto labels = numbered_labels(400);
    DatasetConfig config;
    config.list.path = "list.txt";
    config.format = GetParam();
    const auto list = read_video_list(config, &labels);
    return fmt::format("{} {} {}", list.size(), list.entry(999'999).path.string(), list.line(999'999));
  });
  EXPECT_EQ(report.text, fmt::format("1000000 train/class_399/video_named_so_far_000999999_{:06}.mp4 {}",
                                     999'999 % 97, GetParam() == ListFormat::table ? 1'000'001 : 1'000'000));
  if (kMemoryTells) {
    EXPECT_LT(report.memory, 150'000'000);
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, LongVideoList, ::testing::Values(ListFormat::video, ListFormat::table),
                         [](const auto& info) {
                           return info.param == ListFormat::table ? std::string("table")
                                                                  : std::string("video");
                         });

}  // namespace
}  // namespace actionclip
