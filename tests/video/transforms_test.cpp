#include "actionclip/video/transforms.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"
#include "actionclip/core/random.h"

#include "tests/parity/run_python.h"
#include "tests/video/test_videos.h"

namespace actionclip {
namespace {

// Noise around a gradient: every pixel matters, and sharp steps stress the clamping.
Image noisy_image(std::int64_t width, std::int64_t height, std::uint64_t index) {
  RandomStream random(1, RandomPurpose::kSynthetic, 0, index);
  Image image{.width = width, .height = height, .rgb = {}};
  for (std::int64_t i = 0; i < 3 * width * height; ++i) {
    const auto gradient = static_cast<std::int64_t>(128 * (i % (3 * width)) / (3 * width));
    image.rgb.push_back(static_cast<std::uint8_t>(gradient + random.below(128)));
  }
  return image;
}

std::int64_t largest_difference(const at::Tensor& a, const std::string& bytes) {
  const auto b =
      at::from_blob(const_cast<char*>(bytes.data()), {static_cast<std::int64_t>(bytes.size())}, at::kByte);
  return (a.flatten().to(at::kInt) - b.to(at::kInt)).abs().max().item<std::int64_t>();
}

void expect_parity(const std::vector<std::string>& cases, const std::vector<Image>& images,
                   const std::vector<at::Tensor>& ours) {
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
    ASSERT_EQ(static_cast<std::int64_t>(reference.size()), ours[i].numel()) << cases[i];
    EXPECT_LE(largest_difference(ours[i], reference), 2) << cases[i];
  }
}

TEST(Transforms, TestTransformAgreesWithPillowAndTorchvision) {
  struct Case {
    std::int64_t width, height, resize, size;
  };
  std::vector<std::string> cases;
  std::vector<Image> images;
  std::vector<at::Tensor> ours;
  for (const auto& [width, height, resize, size] : std::vector<Case>{{340, 256, 256, 224},
                                                                     {426, 240, 256, 224},
                                                                     {240, 426, 256, 224},
                                                                     {64, 64, 256, 224},
                                                                     {101, 77, 256, 224},
                                                                     {77, 101, 36, 32},
                                                                     {640, 360, 384, 336},
                                                                     {1279, 719, 256, 224},
                                                                     {339, 255, 255, 224},
                                                                     {3, 2, 36, 32}}) {
    cases.push_back(fmt::format("test:{}x{}:{}:{}", width, height, resize, size));
    images.push_back(noisy_image(width, height, images.size()));
    ours.push_back(test_transform({&images.back(), 1}, resize, size, 1));
  }
  expect_parity(cases, images, ours);
}

TEST(Transforms, TrainingTransformAgreesWithPillow) {
  struct Case {
    std::int64_t width, height;
    CropChoice choice;
    std::int64_t size;
  };
  std::vector<std::string> cases;
  std::vector<Image> images;
  std::vector<at::Tensor> ours;
  for (const auto& [width, height, choice, size] :
       std::vector<Case>{{340, 256, {0, 0, 256, 256, false}, 224},
                         {340, 256, {37, 22, 192, 168, true}, 224},
                         {340, 256, {58, 16, 224, 224, true}, 224},
                         {340, 256, {116, 32, 224, 224, false}, 224},
                         {1280, 720, {560, 0, 720, 630, true}, 224},
                         {64, 48, {1, 2, 36, 42, false}, 32},
                         {64, 48, {0, 0, 64, 48, true}, 32},
                         {5, 4, {2, 1, 1, 1, false}, 32}}) {
    cases.push_back(fmt::format("train:{}x{}:{}:{}:{}:{}:{}:{}", width, height, choice.x, choice.y,
                                choice.width, choice.height, choice.flip ? 1 : 0, size));
    images.push_back(noisy_image(width, height, images.size()));
    ours.push_back(train_transform({&images.back(), 1}, choice, size));
  }
  expect_parity(cases, images, ours);
}

TEST(Transforms, ShapesAreTheModels) {
  const std::vector<Image> images{noisy_image(60, 40, 0), noisy_image(60, 40, 1)};
  const auto clip = train_transform(images, {0, 0, 40, 40, false}, 32);
  EXPECT_EQ(clip.sizes(), (std::vector<std::int64_t>{2, 3, 32, 32}));
  EXPECT_EQ(clip.scalar_type(), at::kByte);
  EXPECT_TRUE(clip.is_contiguous());
  const auto views = test_transform(images, 36, 32, 3);
  EXPECT_EQ(views.sizes(), (std::vector<std::int64_t>{3, 2, 3, 32, 32}));
  EXPECT_TRUE(views.is_contiguous());
}

TEST(Transforms, AllFramesOfAClipAreCutAlike) {
  const auto image = noisy_image(60, 40, 0);
  const std::vector<Image> images{image, image, image};
  const auto clip = train_transform(images, {3, 5, 30, 35, true}, 32);
  EXPECT_TRUE(at::equal(clip[0], clip[1]));
  EXPECT_TRUE(at::equal(clip[0], clip[2]));
}

TEST(Transforms, TheMiddleOfThreeCropsIsTheCentreCropAndTheEndsTouchTheBorders) {
  for (const auto& [width, height] : {std::pair{54, 36}, std::pair{36, 54}}) {
    const std::vector<Image> images{noisy_image(width, height, 0)};
    const auto three = test_transform(images, 36, 32, 3);
    EXPECT_TRUE(at::equal(three[1], test_transform(images, 36, 32, 1)[0]));
    const auto& rgb = images[0].rgb;
    const auto pixel = [&](std::int64_t x, std::int64_t y) { return rgb[3 * (y * width + x)]; };
    const bool wide = width > height;
    EXPECT_EQ(three[0][0][0][0][0].item<std::uint8_t>(), wide ? pixel(0, 2) : pixel(2, 0));
    EXPECT_EQ(three[2][0][0][31][31].item<std::uint8_t>(), wide ? pixel(53, 33) : pixel(33, 53));
  }
}

TEST(Transforms, AFlipMirrorsEveryRow) {
  const auto image = noisy_image(40, 40, 0);
  const auto plain = train_transform({&image, 1}, {4, 4, 32, 32, false}, 32);
  EXPECT_TRUE(at::equal(train_transform({&image, 1}, {4, 4, 32, 32, true}, 32), plain.flip(3)));
  auto views = at::empty({1, 3, 32, 32}, at::kByte);
  transform_test_frame(image, 40, views, true);
  EXPECT_TRUE(at::equal(views, plain.flip(3)));
}

TEST(Transforms, RefusesACropOutsideTheFrameAndABrokenFrame) {
  const auto image = noisy_image(40, 30, 0);
  EXPECT_THROW(train_transform({&image, 1}, {9, 0, 32, 30, false}, 32), VideoError);
  EXPECT_THROW(train_transform({&image, 1}, {-1, 0, 32, 30, false}, 32), VideoError);
  EXPECT_THROW(train_transform({&image, 1}, {0, 0, 0, 0, false}, 32), VideoError);
  EXPECT_THROW(test_transform({&image, 1}, 31, 32, 1), Error);
  const auto thin = noisy_image(4096, 1, 0);
  EXPECT_THROW(test_transform({&thin, 1}, 256, 224, 1), VideoError);
  auto torn = image;
  torn.rgb.pop_back();
  EXPECT_THROW(test_transform({&torn, 1}, 36, 32, 1), VideoError);
  EXPECT_THROW(train_transform({&torn, 1}, {0, 0, 30, 30, false}, 32), VideoError);
}

std::ptrdiff_t threads_of_this_process() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"),
                       std::filesystem::directory_iterator());
}

// Each loader worker would otherwise bring a team of OpenMP threads of its own.
TEST(Transforms, StartNoThreadsInTheCallingThread) {
  if (at::get_cpu_capability() == "DEFAULT")
    GTEST_SKIP() << "libtorch's uint8 resize is single-threaded only with AVX2";
  const auto image = noisy_image(1280, 720, 0);
  std::ptrdiff_t before = 0, after = 0;
  std::thread([&] {
    before = threads_of_this_process();
    train_transform({&image, 1}, {100, 0, 720, 630, true}, 336);
    test_transform({&image, 1}, 384, 336, 3);
    after = threads_of_this_process();
  }).join();
  EXPECT_EQ(after, before);
}

}  // namespace
}  // namespace actionclip
