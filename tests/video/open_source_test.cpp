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

// An MP4 whose container counts 12 frames, of which an edit list hides the first four. Its frames can be
// predicted where the codec is H.264.
void encode_with_hidden_frames(const std::filesystem::path& path, const char* encoder) {
  TestVideo video{.encoder = encoder, .frames = 12, .b_frames = 0};
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
  const auto file_as_folder = open_frames({.path = folder / "a.mp4", .frame_count = 2}, config);
  EXPECT_THROW(file_as_folder->read(std::vector<std::int64_t>{0}), VideoError);
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
  for (const auto* name : {"gone 20", "frames 20", "frames"}) {
    EXPECT_THAT(error_of(name, ListFormat::video), HasSubstr("format: frames")) << name;
  }
  EXPECT_THAT(error_of("frames 20", ListFormat::video), Not(HasSubstr("table")));
  for (const auto* name : {"gone 3", "a.mp4 3", "a.mp4 3 17 4"})  // a line's last number is the label
    EXPECT_THAT(error_of(name, ListFormat::video), HasSubstr("make it a table: the header path,label"))
        << name;
  EXPECT_THAT(error_of("a.mp4 3", ListFormat::video), Not(HasSubstr("format: frames")));
  EXPECT_THAT(error_of("b.mp4", ListFormat::video), Not(HasSubstr("format: frames")));
  EXPECT_THAT(error_of("a.mp4 20", ListFormat::captions), Not(HasSubstr("format: frames")));
}

TEST(FetchFrames, ResultDependsOnTheTrueCountAlone) {
  const TemporaryFolder folder;
  for (const char* encoder : {"libx264", "mpeg2video"}) {
    encode_with_hidden_frames(folder / "a.mp4", encoder);
    const VideoEntry entry{.path = folder / "a.mp4"};
    FrameIndexCache cache;
    const auto first = fetch_frames(entry, {}, cache, kLastTwo);
    const auto second = fetch_frames(entry, {}, cache, kLastTwo);
    for (const auto* chosen : {&first, &second}) {
      EXPECT_EQ(chosen->frame_count, 8) << encoder;
      EXPECT_THAT(numbers(chosen->frames), ElementsAre(10, 11)) << encoder;
    }
  }
}

TEST(FetchFrames, OnlyWhatCostsADecodeIsRemembered) {
  const TemporaryFolder folder;
  encode_with_hidden_frames(folder / "cheap.mp4", "libx264");
  encode_with_hidden_frames(folder / "dear.mp4", "mpeg2video");
  FrameIndexCache cache;
  for (const char* name : {"cheap.mp4", "dear.mp4"})
    fetch_frames({.path = folder / name}, {}, cache, kLastTwo);
  EXPECT_EQ(cache.get(folder / "cheap.mp4"), std::nullopt);
  ASSERT_TRUE(cache.get(folder / "dear.mp4"));
  EXPECT_EQ(cache.get(folder / "dear.mp4")->frame_count, 8);
}

TEST(FetchFrames, AWrongClaimOfTheContainerIsLoggedOnce) {
  const TemporaryFolder folder;
  encode_with_hidden_frames(folder / "a.mp4", "mpeg2video");
  FrameIndexCache cache;
  const LogCapture log;
  for (int i = 0; i < 3; ++i) fetch_frames({.path = folder / "a.mp4"}, {}, cache, kLastTwo);
  const std::string text = log.text();
  EXPECT_THAT(text, HasSubstr("a.mp4: the container says 12 frames, 8 decode"));
  EXPECT_EQ(text.find("the container"), text.rfind("the container"));
}

TEST(FetchFrames, AreThoseOfTheEntrysTimeRange) {
  const TemporaryFolder folder;
  const FrameChooser all = [](std::int64_t count) {
    std::vector<std::int64_t> indices;
    for (std::int64_t i = 0; i < count; ++i) indices.push_back(i);
    return indices;
  };
  for (const char* name : {"a.mp4", "a.ts", "a.avi"}) {  // the last two are decoded in full
    encode_video(folder / name, {.b_frames = 0});        // 20 frames, 25 a second
    FrameIndexCache cache;
    const auto at = [&](double start, double end) {
      const VideoEntry entry{.path = folder / name, .range = {start, end}};
      const auto chosen = fetch_frames(entry, {}, cache, all);
      EXPECT_EQ(chosen.frame_count, std::ssize(chosen.frames)) << name;
      return numbers(chosen.frames);
    };
    for (int round = 0; round < 2; ++round) {  // with and without what the cache holds
      EXPECT_THAT(at(0.2, 0.32), ElementsAre(5, 6, 7)) << name;
      EXPECT_THAT(at(0.7, 99), ElementsAre(18, 19)) << name;
      EXPECT_THAT(at(0.01, 0.02), ElementsAre(0)) << name;
      EXPECT_THAT(at(1.5, 60), ElementsAre(19)) << name;
      EXPECT_THROW(at(50, 60), VideoError) << name;
    }
  }
}

TEST(FetchFrames, ATimeRangeOfFramesInAFolderIsAnError) {
  const TemporaryFolder folder;
  write_jpeg(folder / "img_00001.jpg", test_frame(0, 64, 48), 95);
  DatasetConfig config;
  config.format = ListFormat::frames;
  FrameIndexCache cache;
  const auto fetch = [&](TimeRange range) {
    return fetch_frames({.path = folder.path(), .range = range}, config, cache,
                        [](std::int64_t) { return std::vector<std::int64_t>{0}; });
  };
  EXPECT_EQ(fetch({}).frames.size(), 1u);
  try {
    fetch({1, 2});
    FAIL() << "no error";
  } catch (const VideoError&) {
    FAIL() << "a mistake in the list, no damaged video";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("frames in a folder have no times"));
  }
}

TEST(FetchFrames, AVideoThatTakesLongerThanItsLimitIsAnError) {
  const TemporaryFolder folder;
  FrameIndexCache cache;
  for (const char* name : {"a.mp4", "a.ts"}) {
    encode_video(folder / name, {});
    try {
      fetch_frames({.path = folder / name}, {}, cache, kLastTwo, /*seconds_limit=*/1e-9);
      FAIL() << "no error";
    } catch (const VideoError& error) {
      EXPECT_THAT(error.what(), HasSubstr(std::string(name) + ": took longer than"));
    }
    EXPECT_EQ(fetch_frames({.path = folder / name}, {}, cache, kLastTwo, 1000).frames.size(), 2u);
  }
}

TEST(FetchFrames, SaysWhereTheTimeWent) {
  const TemporaryFolder folder;
  encode_video(folder / "a.mp4", {});
  FrameIndexCache cache;
  const auto seconds = fetch_frames({.path = folder / "a.mp4"}, {}, cache, kLastTwo).seconds;
  EXPECT_GT(seconds.read, 0);
  EXPECT_GT(seconds.decode, 0);
}

TEST(FetchFrames, ADamagedVideoIsAnErrorEveryTimeAndNeverRemembered) {
  const TemporaryFolder folder;
  encode_video(folder / "a.mkv", {});
  const std::string bytes = read_text(folder / "a.mkv");
  write_text(folder / "a.mkv", bytes.substr(0, bytes.size() / 2));
  FrameIndexCache cache;
  const FrameChooser first_frame = [](std::int64_t) { return std::vector<std::int64_t>{0}; };
  for (int i = 0; i < 2; ++i)
    EXPECT_THROW(fetch_frames({.path = folder / "a.mkv"}, {}, cache, first_frame), VideoError);
  EXPECT_EQ(cache.get(folder / "a.mkv"), std::nullopt);
}

}  // namespace
}  // namespace actionclip
