#include "actionclip/video/video_list.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"

namespace actionclip {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

class VideoListTest : public ::testing::Test {
 protected:
  VideoListTest() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::path(::testing::TempDir()) /
              (std::string("VideoListTest.") + test->name() + "." + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
  }
  ~VideoListTest() override { std::filesystem::remove_all(folder_); }

  VideoList read(const std::string& text, ListFormat format = ListFormat::video,
                 std::int64_t label_count = 10) {
    std::ofstream(folder_ / "list.txt", std::ios::binary) << text;
    DatasetConfig config;
    config.list.path = folder_ / "list.txt";
    config.root.path = root_;
    config.format = format;
    return read_video_list(config, label_count);
  }

  // What reading `text` complains of, after "<folder>/list.txt:".
  std::string complaint(const std::string& text, ListFormat format = ListFormat::video,
                        std::int64_t label_count = 10) {
    try {
      read(text, format, label_count);
    } catch (const Error& problem) {
      const std::string start = (folder_ / "list.txt").string() + ":";
      const std::string message = problem.what();
      return message.starts_with(start) ? message.substr(start.size()) : "without file: " + message;
    }
    return "accepted";
  }

  std::filesystem::path folder_;
  std::filesystem::path root_;
};

TEST_F(VideoListTest, VideoLinesGivePathAndLabel) {
  const auto list = read("a.mp4 3\nsub/b c.mp4 0\n");
  ASSERT_EQ(list.entries.size(), 2u);
  EXPECT_EQ(list.file, folder_ / "list.txt");
  EXPECT_EQ(list.entries[0].path, folder_ / "a.mp4");
  EXPECT_EQ(list.entries[0].label_id, 3);
  EXPECT_EQ(list.entries[0].frame_count, -1);
  EXPECT_EQ(list.entries[0].line, 1);
  EXPECT_EQ(list.entries[1].path, folder_ / "sub/b c.mp4");
  EXPECT_EQ(list.entries[1].label_id, 0);
  EXPECT_EQ(list.entries[1].line, 2);
}

TEST_F(VideoListTest, FrameLinesGivePathCountAndLabel) {
  const auto list = read("folder 1 of 2 300 9\n", ListFormat::frames);
  ASSERT_EQ(list.entries.size(), 1u);
  EXPECT_EQ(list.entries[0].path, folder_ / "folder 1 of 2");
  EXPECT_EQ(list.entries[0].frame_count, 300);
  EXPECT_EQ(list.entries[0].label_id, 9);
}

TEST_F(VideoListTest, PathsAreRelativeToTheRootUnlessAbsolute) {
  root_ = "/data/videos";
  const auto list = read("a.mp4 1\n/other/b.mp4 2\n");
  EXPECT_EQ(list.entries[0].path, "/data/videos/a.mp4");
  EXPECT_EQ(list.entries[1].path, "/other/b.mp4");
}

TEST_F(VideoListTest, SkipsEmptyLinesCommentsMarksAndWindowsLineEnds) {
  const auto list = read("\xEF\xBB\xBF# a comment\r\n\r\n  \t\na.mp4\t4  \r\n   # another\nb.mp4 5");
  ASSERT_EQ(list.entries.size(), 2u);
  EXPECT_EQ(list.entries[0].path, folder_ / "a.mp4");
  EXPECT_EQ(list.entries[0].line, 4);
  EXPECT_EQ(list.entries[1].path, folder_ / "b.mp4");
  EXPECT_EQ(list.entries[1].line, 6);
}

TEST_F(VideoListTest, AHashIsAPathsFirstCharacterUnlessABlankFollows) {
  const auto list = read(
      "#20_Rhythm_clap_u_nm_np1_fr_goo_0.avi 4\n# 7\n#\t8\n#\n#\r\n./# 1.avi 5\n"
      "## a heading 6\n");
  ASSERT_EQ(list.entries.size(), 3u);
  EXPECT_EQ(list.entries[0].path, folder_ / "#20_Rhythm_clap_u_nm_np1_fr_goo_0.avi");
  EXPECT_EQ(list.entries[0].label_id, 4);
  EXPECT_EQ(list.entries[1].path.filename(), "# 1.avi");
  EXPECT_EQ(list.entries[1].line, 6);
  EXPECT_EQ(list.entries[2].path, folder_ / "## a heading");
  EXPECT_EQ(complaint("#a note\na.mp4 1\n"), "1: label id 'note' is not an integer (expected PATH LABEL_ID)");
  const auto frames = read("#1 30 9\n", ListFormat::frames);
  EXPECT_EQ(frames.entries.at(0).path, folder_ / "#1");
  const auto captions = read("path,caption\n#1.png,a cat\n# 2.png,a dog\n", ListFormat::captions);
  ASSERT_EQ(captions.entries.size(), 2u);
  EXPECT_EQ(captions.entries[1].path, folder_ / "# 2.png");
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
  EXPECT_EQ(read("a 2147483648 5\n", ListFormat::frames).entries[0].frame_count, 2147483648);
  EXPECT_EQ(complaint("a 2147483649 5\n", ListFormat::frames),
            "1: frame count 2147483649 is more than the 2147483648 that a video may have");
  EXPECT_THAT(complaint(std::string("a 1\nb\0 2\n", 9)), ::testing::StartsWith("2: holds a zero byte"));
}

TEST_F(VideoListTest, ATextAtHandIsReadAsTheFileOfItsNameWouldBe) {
  DatasetConfig config;
  config.list.path = "/lists/absent.txt";
  const auto list = parse_video_list("a.mp4 1\n", config, 10);
  EXPECT_EQ(list.file, "/lists/absent.txt");
  EXPECT_EQ(list.entries.at(0).path, "/lists/a.mp4");
  try {
    parse_video_list("a.mp4 10\n", config, 10);
    FAIL() << "accepted";
  } catch (const Error& problem) {
    EXPECT_STREQ(problem.what(), "/lists/absent.txt:1: label id 10 is not in 0..9");
  }
}

TEST_F(VideoListTest, LabelIdsOutsideTheLabelSetAreRefused) {
  EXPECT_EQ(complaint("a 9\nb 10\n"), "2: label id 10 is not in 0..9");
  EXPECT_EQ(complaint("a -1\n"), "1: label id -1 is not in 0..9");
  EXPECT_EQ(read("a 12345\n", ListFormat::video, -1).entries[0].label_id, 12345);
}

TEST_F(VideoListTest, EmptyOrMissingListIsAnError) {
  EXPECT_THAT(complaint(""), EndsWith("the list holds no video"));
  EXPECT_THAT(complaint("# nothing\n\n"), EndsWith("the list holds no video"));
  EXPECT_THAT(complaint("path,caption\n", ListFormat::captions), EndsWith("the list holds no video"));
  DatasetConfig config;
  config.list.path = folder_ / "missing.txt";
  EXPECT_THROW(read_video_list(config, -1), Error);
}

TEST_F(VideoListTest, CaptionsFollowRfc4180) {
  const auto list = read(
      "path,caption\r\n"
      "a.png,a cat sleeps\r\n"
      "\"b, c.mp4\",\"she said \"\"run\"\", and\nran\"\r\n"
      "d.png,last one",
      ListFormat::captions);
  ASSERT_EQ(list.entries.size(), 3u);
  EXPECT_EQ(list.entries[0].path, folder_ / "a.png");
  EXPECT_EQ(list.entries[0].caption, "a cat sleeps");
  EXPECT_EQ(list.entries[0].label_id, -1);
  EXPECT_EQ(list.entries[1].path, folder_ / "b, c.mp4");
  EXPECT_EQ(list.entries[1].caption, "she said \"run\", and\nran");
  EXPECT_EQ(list.entries[1].line, 3);
  EXPECT_EQ(list.entries[2].caption, "last one");
  EXPECT_EQ(list.entries[2].line, 5);
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

}  // namespace
}  // namespace actionclip
