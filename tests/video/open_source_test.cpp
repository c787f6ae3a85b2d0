#include "actionclip/video/open_source.h"

#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"
#include "actionclip/video/image_file.h"

#include "tests/log_capture.h"
#include "tests/video/test_videos.h"

namespace actionclip {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using namespace actionclip::testing;

const FrameChooser kLastTwo = [](std::int64_t count) {
  return std::vector<std::int64_t>{count - 2, count - 1};
};

std::vector<std::int64_t> numbers(const std::vector<Image>& images) {
  std::vector<std::int64_t> numbers;
  for (const auto& image : images) numbers.push_back(frame_number(image));
  return numbers;
}

// An MP4 whose container counts 12 frames, of which an edit list hides the first four.
void encode_with_hidden_frames(const std::filesystem::path& path) {
  TestVideo video{.frames = 12, .b_frames = 0};
  for (int i = 0; i < 12; ++i) video.timestamps.push_back(i - 4);
  encode_video(path, video);
}

TEST(OpenFrames, FindsOutWhatAPathIs) {
  const TemporaryFolder folder;
  encode_video(folder / "a.mp4", {});
  write_jpeg(folder / "a.jpg", test_frame(7, 64, 48), 95);
  encode_image(folder / "a.png", "png", AV_PIX_FMT_RGB24, test_frame(8, 64, 48));
  for (const char* name : {"usual", "other"}) std::filesystem::create_directory(folder / name);
  for (int i = 0; i < 3; ++i) {
    write_jpeg(folder / "usual" / fmt::format("img_{:05d}.jpg", i + 1), test_frame(i, 64, 48), 95);
    write_jpeg(folder / "usual" / fmt::format("flow_{:05d}.jpg", i + 1), test_frame(9, 64, 48), 95);
    write_jpeg(folder / "other" / fmt::format("{}.jpeg", i + 9), test_frame(i, 64, 48), 95);
  }
  const auto count = [&](const char* name) { return open_frames(folder / name)->frame_count(); };
  EXPECT_EQ(count("a.mp4"), 20);
  EXPECT_EQ(count("a.jpg"), 1);
  EXPECT_EQ(count("a.png"), 1);
  EXPECT_EQ(count("usual"), 3);
  EXPECT_EQ(count("other"), 3);
  EXPECT_THAT(numbers(open_frames(folder / "other")->read(std::vector<std::int64_t>{0, 1, 2})),
              ElementsAre(0, 1, 2));
  EXPECT_THAT(numbers(open_frames(folder / "a.jpg")->read(std::vector<std::int64_t>{0, 0})),
              ElementsAre(7, 7));
  EXPECT_THROW(open_frames(folder / "missing"), VideoError);
}

TEST(OpenFrames, EntriesFollowTheFormatOfTheirList) {
  const TemporaryFolder folder;
  encode_video(folder / "a.mp4", {});
  std::filesystem::create_directory(folder / "frames");
  for (int i = 0; i < 3; ++i)
    write_jpeg(folder / "frames" / fmt::format("{}.jpg", i), test_frame(i, 64, 48), 95);
  DatasetConfig config;
  EXPECT_EQ(open_frames({.path = folder / "a.mp4"}, config)->frame_count(), 20);
  EXPECT_THROW(open_frames({.path = folder / "frames"}, config), VideoError);
  config.format = ListFormat::frames;
  config.frame_pattern = "{}.jpg";
  config.index_bias = 0;
  EXPECT_EQ(open_frames({.path = folder / "frames", .frame_count = 2}, config)->frame_count(), 2);
  EXPECT_EQ(open_frames({.path = folder / "frames"}, config)->frame_count(), 3);
}

TEST(OpenFrames, TablesAndClassFoldersHoldVideosAndFrameFolders) {
  const TemporaryFolder folder;
  encode_video(folder / "a.mp4", {});
  std::filesystem::create_directory(folder / "frames");
  for (int i = 1; i <= 3; ++i)
    write_jpeg(folder / "frames" / fmt::format("img_{:05}.jpg", i), test_frame(i, 64, 48), 95);
  DatasetConfig config;
  for (const auto format : {ListFormat::table, ListFormat::class_folders}) {
    config.format = format;
    EXPECT_EQ(open_frames({.path = folder / "a.mp4"}, config)->frame_count(), 20);
    EXPECT_EQ(open_frames({.path = folder / "frames"}, config)->frame_count(), 3);
    EXPECT_EQ(open_frames({.path = folder / "frames", .frame_count = 2}, config)->frame_count(), 2);
  }
  EXPECT_THROW(open_frames({.path = folder / "a.mp4", .frame_count = 2}, config)->frame_count(), VideoError);
}

TEST(OpenFrames, AListOfFrameFoldersReadAsVideosIsToldSo) {
  const TemporaryFolder folder;
  encode_video(folder / "a.mp4", {});
  std::filesystem::create_directory(folder / "frames");
  const auto error_of = [&](const std::string& name, ListFormat format) -> std::string {
    DatasetConfig config;
    config.format = format;
    try {
      open_frames({.path = folder / name}, config);
    } catch (const VideoError& error) {
      return error.what();
    }
    return "no error";
  };
  for (const auto* name : {"a.mp4 20", "frames 20", "frames"}) {
    EXPECT_THAT(error_of(name, ListFormat::video), HasSubstr("format: frames")) << name;
  }
  EXPECT_THAT(error_of("b.mp4", ListFormat::video), Not(HasSubstr("format: frames")));
  EXPECT_THAT(error_of("a.mp4 20", ListFormat::captions), Not(HasSubstr("format: frames")));
}

TEST(FetchFrames, ResultDependsOnTheTrueCountAlone) {
  const TemporaryFolder folder;
  encode_with_hidden_frames(folder / "a.mp4");
  const VideoEntry entry{.path = folder / "a.mp4"};
  FrameCountCache counts;
  const auto first = fetch_frames(entry, {}, counts, kLastTwo);
  EXPECT_EQ(counts.get(entry.path), 8);
  const auto second = fetch_frames(entry, {}, counts, kLastTwo);
  for (const auto* chosen : {&first, &second}) {
    EXPECT_EQ(chosen->frame_count, 8);
    EXPECT_THAT(numbers(chosen->frames), ElementsAre(10, 11));
  }
}

TEST(FetchFrames, AWrongClaimOfTheContainerIsLoggedOnce) {
  const TemporaryFolder folder;
  encode_with_hidden_frames(folder / "a.mp4");
  FrameCountCache counts;
  const LogCapture log;
  for (int i = 0; i < 3; ++i) fetch_frames({.path = folder / "a.mp4"}, {}, counts, kLastTwo);
  const std::string text = log.text();
  EXPECT_THAT(text, HasSubstr("a.mp4: the container says 12 frames, 8 decode"));
  EXPECT_EQ(text.find("the container"), text.rfind("the container"));
}

TEST(FetchFrames, ADamagedVideoIsAnErrorEveryTimeAndNeverRemembered) {
  const TemporaryFolder folder;
  encode_video(folder / "a.mkv", {});
  const std::string bytes = read_text(folder / "a.mkv");
  write_text(folder / "a.mkv", bytes.substr(0, bytes.size() / 2));
  FrameCountCache counts;
  const FrameChooser first_frame = [](std::int64_t) { return std::vector<std::int64_t>{0}; };
  for (int i = 0; i < 2; ++i)
    EXPECT_THROW(fetch_frames({.path = folder / "a.mkv"}, {}, counts, first_frame), VideoError);
  EXPECT_EQ(counts.get(folder / "a.mkv"), std::nullopt);
}

}  // namespace
}  // namespace actionclip
