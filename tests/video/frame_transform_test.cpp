#include "actionclip/video/frame_transform.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"
#include "actionclip/core/random.h"

#include "tests/parity/run_python.h"
#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

using ::testing::Each;

using Bytes = std::vector<std::uint8_t>;

// Noise: every pixel matters, and sharp steps stress the clamping. `values`: 256, or 2 for black and white.
Image noisy_image(std::int64_t width, std::int64_t height, std::uint64_t index, std::int64_t values = 256) {
  RandomStream random(1, RandomPurpose::kSynthetic, 0, index);
  Image image{.width = width, .height = height, .rgb = {}};
  for (std::int64_t i = 0; i < 3 * width * height; ++i) {
    image.rgb.push_back(static_cast<std::uint8_t>(random.below(values) * 255 / (values - 1)));
  }
  return image;
}

// Planes [crops, 3, size, size].
std::vector<PlanarView> views_of(Bytes& planes, std::int64_t crops, std::int64_t size) {
  planes.assign(static_cast<std::size_t>(crops * 3 * size * size), 0);
  std::vector<PlanarView> views;
  for (std::int64_t i = 0; i < crops; ++i) {
    views.push_back(
        {.data = planes.data() + i * 3 * size * size, .row_stride = size, .plane_stride = size * size});
  }
  return views;
}

Bytes train(const Image& image, const CropChoice& choice, Interpolation interpolation, std::int64_t size) {
  Bytes planes;
  TrainingTransform(choice, interpolation, size).apply(image, views_of(planes, 1, size).front());
  return planes;
}

Bytes test(const Image& image, std::int64_t resize, std::int64_t size, std::int64_t crops,
           bool flip = false) {
  Bytes planes;
  TestTransform({resize, size, crops}, flip).apply(image, views_of(planes, crops, size));
  return planes;
}

// Every row of planes of width `size` mirrored.
Bytes mirrored(Bytes planes, std::int64_t size) {
  for (auto row = planes.begin(); row != planes.end(); row += size) std::reverse(row, row + size);
  return planes;
}

struct Parity {
  std::vector<std::string> cases;
  std::vector<Image> images;
  std::vector<Bytes> ours;

  void expect_equal_bytes() const {
    const TemporaryFolder folder;
    std::vector<std::string> arguments{folder.path().string()};
    arguments.insert(arguments.end(), cases.begin(), cases.end());
    for (std::size_t i = 0; i < images.size(); ++i) {
      std::ofstream(folder / fmt::format("{}.rgb", i), std::ios::binary)
          .write(reinterpret_cast<const char*>(images[i].rgb.data()),
                 static_cast<std::streamsize>(images[i].rgb.size()));
    }
    run_python("transform_reference.py", arguments);
    for (std::size_t i = 0; i < images.size(); ++i) {
      const auto reference = read_text_file(folder / fmt::format("{}.out", i));
      ASSERT_EQ(reference.size(), ours[i].size()) << cases[i];
      int largest = 0;
      for (std::size_t k = 0; k < reference.size(); ++k) {
        largest = std::max(largest, std::abs(ours[i][k] - static_cast<std::uint8_t>(reference[k])));
      }
      EXPECT_EQ(largest, 0) << cases[i];
    }
  }
};

TEST(FrameTransform, TestCropsEqualThoseOfPillowAndTorchvision) {
  struct Case {
    std::int64_t width, height, resize, size, crops;
  };
  Parity parity;
  for (const auto& [width, height, resize, size, crops] : std::vector<Case>{{340, 256, 256, 224, 1},
                                                                            {426, 240, 256, 224, 1},
                                                                            {240, 426, 256, 224, 1},
                                                                            {64, 64, 256, 224, 1},
                                                                            {101, 77, 256, 224, 1},
                                                                            {77, 101, 36, 32, 1},
                                                                            {640, 360, 384, 336, 1},
                                                                            {1279, 719, 256, 224, 1},
                                                                            {339, 255, 255, 224, 1},
                                                                            {3, 2, 36, 32, 1},
                                                                            {2000, 900, 36, 32, 1},
                                                                            {101, 77, 80, 61, 5},
                                                                            {90, 70, 70, 64, 5},
                                                                            {101, 77, 80, 61, 10},
                                                                            {77, 102, 81, 64, 10},
                                                                            {70, 91, 70, 64, 10}}) {
    parity.cases.push_back(fmt::format("test:{}x{}:{}:{}:{}", width, height, resize, size, crops));
    parity.images.push_back(noisy_image(width, height, parity.images.size(), 256));
    parity.ours.push_back(test(parity.images.back(), resize, size, crops));
  }
  parity.expect_equal_bytes();
}

TEST(FrameTransform, TrainingCropsEqualPillows) {
  struct Case {
    std::int64_t width, height;
    CropChoice choice;
    std::int64_t size;
  };
  Parity parity;
  for (const auto& [width, height, choice, size] :
       std::vector<Case>{{340, 256, {0, 0, 256, 256, false}, 224},
                         {340, 256, {37, 22, 192, 168, true}, 224},
                         {340, 256, {58, 16, 224, 224, true}, 224},
                         {340, 256, {116, 32, 224, 224, false}, 224},
                         {340, 256, {116, 32, 224, 100, true}, 224},
                         {1280, 720, {560, 0, 720, 630, true}, 224},
                         {64, 48, {1, 2, 36, 42, false}, 32},
                         {64, 48, {0, 0, 64, 48, true}, 32},
                         {90, 7, {0, 0, 90, 7, true}, 33},
                         {5, 4, {2, 1, 1, 1, false}, 32}}) {
    for (const auto interpolation : {Interpolation::bilinear, Interpolation::bicubic}) {
      for (const std::int64_t values : {256, 2}) {
        parity.cases.push_back(fmt::format("train:{}x{}:{}:{}:{}:{}:{}:{}:{}", width, height, choice.x,
                                           choice.y, choice.width, choice.height, choice.flip ? 1 : 0, size,
                                           interpolation == Interpolation::bicubic ? "bicubic" : "bilinear"));
        parity.images.push_back(noisy_image(width, height, parity.images.size(), values));
        parity.ours.push_back(train(parity.images.back(), choice, interpolation, size));
      }
    }
  }
  parity.expect_equal_bytes();
}

TEST(FrameTransform, APlainAreaKeepsItsColourAtEveryRatio) {
  for (const int value : {0, 1, 127, 254, 255}) {
    Image image{.width = 211, .height = 97, .rgb = {}};
    image.rgb.assign(static_cast<std::size_t>(3 * 211 * 97), static_cast<std::uint8_t>(value));
    for (const std::int64_t size : {8, 33, 96, 131, 400}) {
      EXPECT_THAT(train(image, {0, 0, 211, 97, false}, Interpolation::bicubic, size), Each(value)) << size;
      EXPECT_THAT(train(image, {5, 3, 70, 90, true}, Interpolation::bilinear, size), Each(value)) << size;
    }
  }
}

TEST(FrameTransform, ACropOfTheInputSizeIsCopied) {
  const auto image = noisy_image(40, 40, 0);
  const auto planes = train(image, {4, 5, 32, 32, false}, Interpolation::bicubic, 32);
  for (std::int64_t y = 0; y < 32; ++y) {
    for (std::int64_t x = 0; x < 32; ++x) {
      for (std::int64_t channel = 0; channel < 3; ++channel) {
        ASSERT_EQ(planes[(channel * 32 + y) * 32 + x], image.rgb[3 * ((5 + y) * 40 + 4 + x) + channel]);
      }
    }
  }
}

TEST(FrameTransform, AFlipMirrorsEveryRow) {
  const auto image = noisy_image(50, 40, 0);
  for (const std::int64_t width : {32, 37}) {
    const auto plain = train(image, {4, 4, width, 32, false}, Interpolation::bilinear, 32);
    EXPECT_EQ(train(image, {4, 4, width, 32, true}, Interpolation::bilinear, 32), mirrored(plain, 32));
  }
  for (const std::int64_t resize : {40, 36}) {  // with and without a resize
    for (const std::int64_t crops : {1, 3, 5}) {
      EXPECT_EQ(test(image, resize, 32, crops, true), mirrored(test(image, resize, 32, crops), 32));
    }
    auto ten = test(image, resize, 32, 10);
    const auto ten_flipped = test(image, resize, 32, 10, true);
    EXPECT_EQ(ten_flipped, mirrored(ten, 32)) << "what was mirrored is mirrored back";
  }
}

TEST(FrameTransform, EachOfSeveralCropsIsTheOneThatItIsAlone) {
  for (const auto& [width, height] : {std::pair{54, 36}, std::pair{45, 61}, std::pair{36, 54}}) {
    const auto image = noisy_image(width, height, 0);
    const auto centre = test(image, 36, 32, 1);
    const auto three = test(image, 36, 32, 3);
    const auto ten = test(image, 36, 32, 10);
    const auto crop = [&](const Bytes& planes, std::int64_t i) {
      return Bytes(planes.begin() + i * 3 * 32 * 32, planes.begin() + (i + 1) * 3 * 32 * 32);
    };
    EXPECT_EQ(crop(three, 1), centre);
    EXPECT_EQ(crop(ten, 4), centre);
    EXPECT_NE(crop(three, 0), crop(three, 2));
    const auto five = test(image, 36, 32, 5);
    EXPECT_TRUE(std::equal(five.begin(), five.end(), ten.begin()));
  }
}

TEST(FrameTransform, WhatATestDoesNotSeeDoesNotCount) {
  for (const auto& [width, height] :
       {std::pair{54, 36}, std::pair{45, 61}, std::pair{200, 90}, std::pair{20, 29}}) {
    for (const TestView view : {TestView{36, 32, 1}, {36, 20, 1}, {36, 20, 3}, {36, 20, 5}, {40, 9, 1}}) {
      const auto image = noisy_image(width, height, 0);
      const auto part = seen_part({width, height}, view);
      Image seen{image.width, image.height, Bytes(image.rgb.size(), 0)};
      for (std::int64_t y = part.y; y < part.y + part.height; ++y) {
        const auto begin = 3 * (y * width + part.x);
        std::copy_n(image.rgb.begin() + begin, 3 * part.width, seen.rgb.begin() + begin);
      }
      EXPECT_EQ(test(seen, view.resize, view.input_size, view.crops),
                test(image, view.resize, view.input_size, view.crops))
          << width << "x" << height << " " << view.crops;
    }
  }
  EXPECT_EQ(seen_part({340, 256}, {256, 224, 1}), (CropChoice{58, 16, 224, 224, false}));
  EXPECT_EQ(seen_part({340, 256}, {256, 224, 3}), (CropChoice{0, 16, 340, 224, false}));
  const CropChoice whole{0, 0, 340, 256, false};
  EXPECT_EQ(seen_part({340, 256}, {}), whole);
  EXPECT_EQ(seen_part({340, 256}, {224, 256, 1}), whole);
  EXPECT_EQ(seen_part({340, 256}, {256, 224, 2}), whole);
}

TEST(FrameTransform, AnObjectServesFramesOfSeveralSizes) {
  TestTransform transform({36, 32, 3});
  Bytes planes;
  for (const std::int64_t width : {60, 36, 60, 71}) {
    const auto image = noisy_image(width, 36 + width % 2, 3);
    transform.apply(image, views_of(planes, 3, 32));
    EXPECT_EQ(planes, test(image, 36, 32, 3)) << width;
  }
  TrainingTransform training({1, 2, 30, 30, true}, Interpolation::bilinear, 32);
  for (const std::int64_t width : {60, 40}) {
    const auto image = noisy_image(width, 40, 4);
    training.apply(image, views_of(planes, 1, 32).front());
    EXPECT_EQ(planes, train(image, {1, 2, 30, 30, true}, Interpolation::bilinear, 32)) << width;
  }
}

TEST(FrameTransform, StridesAreKeptAndNothingElseIsWritten) {
  const auto image = noisy_image(60, 40, 0);
  const std::int64_t row = 41, plane = 41 * 50;
  Bytes buffer(static_cast<std::size_t>(3 * plane), 7);
  TestTransform({36, 32, 1}).apply(image, std::vector<PlanarView>{{buffer.data(), row, plane}});
  const auto packed = test(image, 36, 32, 1);
  for (std::int64_t i = 0; i < 3 * plane; ++i) {
    const auto channel = i / plane, y = i % plane / row, x = i % plane % row;
    ASSERT_EQ(buffer[i], y < 32 && x < 32 ? packed[(channel * 32 + y) * 32 + x] : 7) << i;
  }
}

TEST(FrameTransform, RefusesACropOutsideTheFrameAndABrokenFrame) {
  const auto image = noisy_image(40, 30, 0);
  const auto cut = [&](const Image& from, const CropChoice& choice) {
    return train(from, choice, Interpolation::bilinear, 32);
  };
  EXPECT_THROW(cut(image, {9, 0, 32, 30, false}), VideoError);
  EXPECT_THROW(cut(image, {-1, 0, 32, 30, false}), VideoError);
  EXPECT_THROW(cut(image, {0, 0, 0, 0, false}), VideoError);
  EXPECT_THROW(test(image, 31, 32, 1), Error);
  EXPECT_THROW(test(image, 36, 32, 2), Error);
  EXPECT_THROW(test(noisy_image(4096, 1, 0), 256, 224, 1), VideoError);
  auto torn = image;
  torn.rgb.pop_back();
  EXPECT_THROW(test(torn, 36, 32, 1), VideoError);
  EXPECT_THROW(cut(torn, {0, 0, 30, 30, false}), VideoError);
  Bytes planes;
  EXPECT_THROW(TestTransform({36, 32, 3}).apply(image, views_of(planes, 1, 32)), Error);
}

std::ptrdiff_t threads_of_this_process() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"),
                       std::filesystem::directory_iterator());
}

// Each loader worker would otherwise bring a team of threads of its own.
TEST(FrameTransform, StartsNoThreads) {
  const auto image = noisy_image(1280, 720, 0);
  std::ptrdiff_t before = 0, after = 0;
  std::thread([&] {
    before = threads_of_this_process();
    train(image, {100, 0, 720, 630, true}, Interpolation::bicubic, 336);
    test(image, 384, 336, 3);
    after = threads_of_this_process();
  }).join();
  EXPECT_EQ(after, before);
}

}  // namespace
}  // namespace actionclip
