#include "actionclip/video/frame_folder.h"

#include <filesystem>
#include <string>
#include <sys/stat.h>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"
#include "actionclip/video/image_file.h"

#include "tests/video/test_videos.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using namespace actionclip::testing;

constexpr const char* kPattern = "img_{:05d}.jpg";

// Writes test_frame(first), test_frame(first + 1) ... as <folder>/<pattern> with numbers from `bias`.
void write_frames(const std::filesystem::path& folder, const std::string& pattern, int bias, int count) {
  for (int i = 0; i < count; ++i) {
    write_jpeg(folder / fmt::format(fmt::runtime(pattern), i + bias), test_frame(i, 64, 48), 95);
  }
}

std::vector<std::int64_t> numbers(FrameSource& source, const std::vector<std::int64_t>& indices) {
  std::vector<std::int64_t> numbers;
  for (const auto& image : source.read(indices)) numbers.push_back(frame_number(image));
  return numbers;
}

template <typename Action>
std::string failure(const Action& action) {
  try {
    action();
    return "no error";
  } catch (const Error& problem) {
    return problem.what();
  }
}

TEST(FrameFolder, FrameZeroIsTheOneThatTheBiasNames) {
  const TemporaryFolder folder;
  write_frames(folder.path(), kPattern, 1, 6);
  FrameFolder source(folder.path(), kPattern, 1, -1);
  EXPECT_EQ(source.frame_count(), 6);
  EXPECT_THAT(numbers(source, {0, 2, 2, 5}), ElementsAre(0, 2, 2, 5));
  FrameFolder zero_based(folder.path(), kPattern, 3, -1);
  EXPECT_EQ(zero_based.frame_count(), 4);
  EXPECT_THAT(numbers(zero_based, {0}), ElementsAre(2));
}

TEST(FrameFolder, OtherPatternsCountTheirOwnFilesOnly) {
  const TemporaryFolder folder;
  write_frames(folder.path(), "flow_x_{:05d}.jpg", 1, 9);
  write_frames(folder.path(), "frame{}.jpg", 0, 12);
  write_frames(folder.path(), "f{:3d}.jpg", 1, 2);
  write_text(folder / "frame7.jpg.bak", "x");
  write_text(folder / "frame007.jpg", "x");
  FrameFolder source(folder.path(), "frame{}.jpg", 0, -1);
  EXPECT_EQ(source.frame_count(), 12);
  EXPECT_THAT(numbers(source, {10}), ElementsAre(10));
  EXPECT_EQ(FrameFolder(folder.path(), "f{:3d}.jpg", 1, -1).frame_count(), 2);
}

TEST(FrameFolder, CountOfTheListIsBelievedUntilAFrameIsMissing) {
  const TemporaryFolder folder;
  write_frames(folder.path(), kPattern, 1, 3);
  FrameFolder source(folder.path(), kPattern, 1, 5);
  EXPECT_EQ(source.frame_count(), 5);
  EXPECT_THAT(numbers(source, {2}), ElementsAre(2));
  EXPECT_THAT(failure([&] { source.read(std::vector<std::int64_t>{4}); }),
              AllOf(HasSubstr("img_00005.jpg"), HasSubstr("No such file")));
  EXPECT_THROW(source.read(std::vector<std::int64_t>{5}), VideoError);
  EXPECT_THROW(source.read(std::vector<std::int64_t>{-1}), VideoError);
}

TEST(FrameFolder, GapsAndEmptyFoldersAreReported) {
  const TemporaryFolder folder;
  const auto open = [&] { FrameFolder(folder.path(), kPattern, 1, -1); };
  EXPECT_THAT(failure(open), EndsWith("holds no frame; the first should be img_00001.jpg"));
  write_frames(folder.path(), kPattern, 1, 4);
  std::filesystem::remove(folder / "img_00003.jpg");
  EXPECT_THAT(failure(open), EndsWith("frame img_00003.jpg is missing, though img_00004.jpg is there"));
  EXPECT_THAT(failure([&] { FrameFolder(folder / "none", kPattern, 1, -1); }),
              AllOf(HasSubstr("none"), HasSubstr("No such file")));
}

TEST(FrameFolder, UnusablePatternsAreRefused) {
  for (const char* pattern : {"", "img.jpg", "img_{:05d.jpg", "img_{:s}.jpg", "{}_{}.jpg", "{name}.jpg",
                              "a/{}.jpg", "img_{:{}d}.jpg", "}{"}) {
    EXPECT_THAT(failure([&] { FrameFolder(".", pattern, 1, 5); }), HasSubstr("cannot be used")) << pattern;
  }
}

TEST(FrameFolder, DamagedFramesAreNamed) {
  const TemporaryFolder folder;
  write_frames(folder.path(), kPattern, 1, 4);
  const std::string bytes = read_text(folder / "img_00002.jpg");
  write_text(folder / "img_00002.jpg", bytes.substr(0, bytes.size() - 40));
  write_text(folder / "img_00003.jpg", "");
  std::filesystem::remove(folder / "img_00004.jpg");
  ASSERT_EQ(mkfifo((folder / "img_00004.jpg").c_str(), 0600), 0);
  FrameFolder source(folder.path(), kPattern, 1, 4);
  const auto reading = [&](std::int64_t index) {
    return failure([&] { source.read(std::vector<std::int64_t>{index}); });
  };
  EXPECT_THAT(numbers(source, {0}), ElementsAre(0));
  EXPECT_THAT(reading(1), AllOf(HasSubstr("img_00002.jpg: damaged JPEG"), HasSubstr("remature")));
  EXPECT_THAT(reading(2), HasSubstr("img_00003.jpg: is empty"));
  EXPECT_THAT(reading(3), HasSubstr("img_00004.jpg: is not a regular file"));
}

TEST(JpegFiles, AreOrderedByTheNumbersInTheirNames) {
  const TemporaryFolder folder;
  write_frames(folder.path(), "frame{}.JPG", 8, 4);
  write_text(folder / "notes.txt", "x");
  FrameFolder source(jpeg_files(folder.path()));
  EXPECT_EQ(source.frame_count(), 4);
  EXPECT_THAT(numbers(source, {0, 1, 2, 3}), ElementsAre(0, 1, 2, 3));
  std::filesystem::create_directory(folder / "none");
  EXPECT_THAT(failure([&] { jpeg_files(folder / "none"); }), EndsWith("holds no JPEG frames"));
}

}  // namespace
}  // namespace actionclip
