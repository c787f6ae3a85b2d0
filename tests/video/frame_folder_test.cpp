#include "actionclip/video/frame_folder.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <sys/stat.h>
#include <turbojpeg.h>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"
#include "actionclip/video/frame_transform.h"
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

TEST(FrameFolder, PngFramesAreReadAsJpegFramesAre) {
  const TemporaryFolder folder;
  for (int i = 0; i < 4; ++i) {
    encode_image(folder / fmt::format("img_{:05d}.png", i + 1), "png", AV_PIX_FMT_RGB24,
                 test_frame(i, 64, 48));
  }
  FrameFolder source(folder.path(), "img_{:05d}.png", 1, -1);
  EXPECT_EQ(source.frame_count(), 4);
  EXPECT_THAT(numbers(source, {0, 2, 3}), ElementsAre(0, 2, 3));
  EXPECT_EQ(source.read(std::vector<std::int64_t>{1})[0].rgb, test_frame(1, 64, 48).rgb);
}

// Waves of several lengths, down to five pixels.
Image waves(std::int64_t width, std::int64_t height) {
  Image image{width, height, {}};
  for (std::int64_t i = 0; i < width * height; ++i) {
    const auto x = static_cast<double>(i % width);
    const auto y = static_cast<double>(i / width);
    for (const double phase : {0.0, 0.4, 0.9}) {
      const double value = 127 + 60 * std::sin(0.02 * x + 0.03 * y + phase) +
                           40 * std::sin(0.3 * x - 0.2 * y) + 20 * std::sin(0.7 * x + 1.2 * y + phase);
      image.rgb.push_back(static_cast<std::uint8_t>(value));
    }
  }
  return image;
}

std::pair<std::int64_t, std::int64_t> size_for(FrameSource& source, std::int64_t resize_to) {
  source.set_view({.resize = resize_to, .input_size = resize_to});
  const auto image = source.read(std::vector<std::int64_t>{0}).front();
  return {image.width, image.height};
}

TEST(FrameFolder, AFrameComesSmallerOnlyWhereItsShortSideStaysTwiceTheSizeAskedFor) {
  const TemporaryFolder folder;
  const auto file = [&](const char* name, std::int64_t width, std::int64_t height) {
    write_jpeg(folder / name, waves(width, height), 90);
    return FrameFolder(std::vector{folder / name});
  };
  auto even = file("even.jpg", 160, 120);
  using Size = std::pair<std::int64_t, std::int64_t>;
  EXPECT_EQ(size_for(even, 0), Size(160, 120));
  EXPECT_EQ(size_for(even, 31), Size(160, 120));
  EXPECT_EQ(size_for(even, 30), Size(80, 60));
  EXPECT_EQ(size_for(even, 15), Size(40, 30));
  EXPECT_EQ(size_for(even, 7), Size(20, 15));
  EXPECT_EQ(size_for(even, 1), Size(20, 15)) << "8 is the largest reduction";
  auto odd = file("odd.jpg", 162, 121);
  EXPECT_EQ(size_for(odd, 7), Size(162, 121)) << "half of an odd side would shift the pixels";
  auto tall = file("tall.jpg", 100, 200);
  EXPECT_EQ(size_for(tall, 10), Size(25, 50)) << "a hundred is no multiple of 8";
}

TEST(FrameFolder, ASmallerFrameShowsTheSameOnceItIsResized) {
  const TemporaryFolder folder;
  write_jpeg(folder / "a.jpg", waves(640, 480), 90);
  FrameFolder source(std::vector{folder / "a.jpg"});
  for (const std::int64_t resize : {120, 100, 60, 30}) {
    std::vector<std::vector<std::uint8_t>> planes;
    for (const std::int64_t resize_to : {std::int64_t{0}, resize}) {
      source.set_view({.resize = resize_to, .input_size = resize});
      const auto image = source.read(std::vector<std::int64_t>{0}).front();
      EXPECT_EQ(image.width == 640, resize_to == 0);
      auto& plane = planes.emplace_back(static_cast<std::size_t>(3 * resize * resize));
      const PlanarView view{plane.data(), resize, resize * resize};
      TestTransform({.resize = resize, .input_size = resize}).apply(image, {&view, 1});
    }
    double sum = 0, squares = 0;
    for (std::size_t i = 0; i < planes[0].size(); ++i) {
      const int difference = std::abs(planes[0][i] - planes[1][i]);
      sum += difference;
      squares += difference * difference;
    }
    const auto count = static_cast<double>(planes[0].size());
    EXPECT_LE(sum / count, 2) << resize;
    EXPECT_GE(10 * std::log10(255 * 255 / (squares / count)), 40) << resize << ": signal to noise in dB";
  }
}

// A JPEG of the kinds that write_jpeg() does not write.
void write_special_jpeg(const std::filesystem::path& path, const Image& image, int subsampling, int flags) {
  tjhandle turbo = tjInitCompress();
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  ASSERT_EQ(tjCompress2(turbo, image.rgb.data(), static_cast<int>(image.width), 0,
                        static_cast<int>(image.height), TJPF_RGB, &bytes, &size, subsampling, 90, flags),
            0);
  write_text(path, std::string(reinterpret_cast<char*>(bytes), size));
  tjFree(bytes);
  tjDestroy(turbo);
}

TEST(FrameFolder, WhatATestSeesOfAFrameIsWhatAllOfItHolds) {
  const TemporaryFolder folder;
  const auto file = folder / "a.jpg";
  for (const int subsampling : {TJSAMP_444, TJSAMP_422, TJSAMP_420, TJSAMP_440, TJSAMP_411, TJSAMP_GRAY}) {
    for (const int flags : {0, TJFLAG_PROGRESSIVE}) {
      for (const auto& [width, height] : {std::pair{340, 256}, std::pair{257, 341}, std::pair{333, 250}}) {
        write_special_jpeg(file, waves(width, height), subsampling, flags);
        FrameFolder source(std::vector{file});
        const auto whole = source.read(std::vector<std::int64_t>{0}).front();
        for (const TestView view :
             {TestView{256, 224, 1}, {256, 224, 3}, {256, 100, 1}, {128, 31, 5}, {256, 256, 1}}) {
          source.set_view(view);
          const auto seen = source.read(std::vector<std::int64_t>{0}).front();
          ASSERT_EQ(seen.rgb.size(), whole.rgb.size());
          const auto part = seen_part({width, height}, view);
          for (std::int64_t y = part.y; y < part.y + part.height; ++y) {
            const auto row = 3 * (y * width + part.x);
            ASSERT_TRUE(std::equal(seen.rgb.begin() + row, seen.rgb.begin() + row + 3 * part.width,
                                   whole.rgb.begin() + row))
                << width << "x" << height << " row " << y << ", subsampling " << subsampling << ", flags "
                << flags;
          }
        }
      }
    }
  }
}

TEST(FrameFolder, DamageBelowWhatATestSeesIsNoticed) {
  const TemporaryFolder folder;
  write_jpeg(folder / "a.jpg", waves(340, 256), 90);
  const std::string bytes = read_text(folder / "a.jpg");
  FrameFolder source(std::vector{folder / "a.jpg"});
  source.set_view({.resize = 256, .input_size = 64});
  for (const std::size_t cut : {2, 40, 2000}) {
    write_text(folder / "a.jpg", bytes.substr(0, bytes.size() - cut));
    EXPECT_THAT(failure([&] { source.read(std::vector<std::int64_t>{0}); }), HasSubstr("a.jpg: damaged JPEG"))
        << cut;
  }
}

TEST(FrameFolder, ADamagedFrameIsNoticedAtASmallerSizeToo) {
  const TemporaryFolder folder;
  write_jpeg(folder / "a.jpg", waves(160, 120), 90);
  const std::string bytes = read_text(folder / "a.jpg");
  FrameFolder source(std::vector{folder / "a.jpg"});
  source.set_view({.resize = 15, .input_size = 15});
  for (const std::size_t cut : {std::size_t{40}, bytes.size() / 2}) {
    write_text(folder / "a.jpg", bytes.substr(0, bytes.size() - cut));
    EXPECT_THAT(failure([&] { source.read(std::vector<std::int64_t>{0}); }),
                HasSubstr("a.jpg: damaged JPEG"));
  }
  write_text(folder / "a.jpg", bytes);
  EXPECT_EQ(source.read(std::vector<std::int64_t>{0}).front().width, 40)
      << "the decoder goes on after an error";
}

TEST(ImageFiles, AreOrderedByTheNumbersInTheirNames) {
  const TemporaryFolder folder;
  write_frames(folder.path(), "frame{}.JPG", 8, 4);
  encode_image(folder / "frame100.png", "png", AV_PIX_FMT_RGB24, test_frame(4, 64, 48));
  write_text(folder / "notes.txt", "x");
  FrameFolder source(image_files(folder.path()));
  EXPECT_EQ(source.frame_count(), 5);
  EXPECT_THAT(numbers(source, {0, 1, 2, 3, 4}), ElementsAre(0, 1, 2, 3, 4));
  std::filesystem::create_directory(folder / "none");
  EXPECT_THAT(failure([&] { image_files(folder / "none"); }), EndsWith("holds no JPEG or PNG frames"));
}

}  // namespace
}  // namespace actionclip
