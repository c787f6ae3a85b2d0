#include "actionclip/video/transforms.h"

#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"
#include "actionclip/core/random.h"

namespace actionclip {
namespace {

Image noisy_image(std::int64_t width, std::int64_t height, std::uint64_t index) {
  RandomStream random(1, RandomPurpose::kSynthetic, 0, index);
  Image image{.width = width, .height = height, .rgb = {}};
  for (std::int64_t i = 0; i < 3 * width * height; ++i) {
    image.rgb.push_back(static_cast<std::uint8_t>(random.below(256)));
  }
  return image;
}

// The image as a tensor [3, H, W].
at::Tensor pixels(const Image& image) {
  return at::tensor(std::vector<std::int64_t>(image.rgb.begin(), image.rgb.end()))
      .to(at::kByte)
      .view({image.height, image.width, 3})
      .permute({2, 0, 1});
}

TEST(Transforms, ShapesAreTheModels) {
  const std::vector<Image> images{noisy_image(60, 40, 0), noisy_image(60, 40, 1)};
  const auto views = test_transform(images, 36, 32, 3);
  EXPECT_EQ(views.sizes(), (std::vector<std::int64_t>{3, 2, 3, 32, 32}));
  EXPECT_EQ(views.scalar_type(), at::kByte);
  EXPECT_TRUE(views.is_contiguous());
}

TEST(Transforms, ATrainingFrameIsItsCropAndMirroredIfItIsFlipped) {
  const auto image = noisy_image(40, 40, 0);
  const auto out = at::empty({3, 32, 32}, at::kByte);
  transform_training_frame(image, {4, 5, 32, 32, false}, Interpolation::bilinear, out);
  const auto crop = pixels(image).slice(1, 5, 37).slice(2, 4, 36);
  EXPECT_TRUE(at::equal(out, crop));
  transform_training_frame(image, {4, 5, 32, 32, true}, Interpolation::bilinear, out);
  EXPECT_TRUE(at::equal(out, crop.flip(2)));
  const auto bilinear = at::empty_like(out), bicubic = at::empty_like(out);
  transform_training_frame(image, {4, 5, 20, 30, false}, Interpolation::bilinear, bilinear);
  transform_training_frame(image, {4, 5, 20, 30, false}, Interpolation::bicubic, bicubic);
  EXPECT_FALSE(at::equal(bilinear, bicubic));
  EXPECT_THROW(transform_training_frame(image, {9, 0, 32, 32, false}, Interpolation::bilinear, out),
               VideoError);
}

TEST(Transforms, TheMiddleOfThreeCropsIsTheCentreCropAndTheEndsTouchTheBorders) {
  for (const auto& [width, height] : {std::pair{54, 36}, std::pair{36, 54}}) {
    const std::vector<Image> images{noisy_image(width, height, 0)};
    const auto three = test_transform(images, 36, 32, 3);
    EXPECT_TRUE(at::equal(three[1], test_transform(images, 36, 32, 1)[0]));
    const auto all = pixels(images[0]);
    const bool wide = width > height;
    EXPECT_TRUE(at::equal(three[0][0].select(wide ? 2 : 1, 0),
                          all.slice(wide ? 1 : 2, 2, 34).select(wide ? 2 : 1, 0)));
    EXPECT_TRUE(at::equal(three[2][0].select(wide ? 2 : 1, 31),
                          all.slice(wide ? 1 : 2, 2, 34).select(wide ? 2 : 1, 53)));
  }
}

TEST(Transforms, EveryViewGoesToItsPlace) {
  const auto image = noisy_image(50, 40, 0);
  const std::vector<Image> images{image, noisy_image(50, 40, 1)};
  const auto views = test_transform(images, 36, 32, 10);
  const auto first = test_transform({&images[0], 1}, 36, 32, 10);
  EXPECT_TRUE(at::equal(views.select(1, 0), first.select(1, 0)));
  // Scattered: crops of one frame of a clip tensor.
  auto clip = at::zeros({10, 3, 3, 32, 32}, at::kByte);
  transform_test_frame(image, 36, clip.select(1, 2));
  EXPECT_TRUE(at::equal(clip.select(1, 2), first.select(1, 0)));
  EXPECT_EQ(clip.slice(1, 0, 2).max().item<std::int64_t>(), 0) << "nothing beside it is written";
  auto flipped = at::empty({1, 3, 32, 32}, at::kByte);
  transform_test_frame(image, 36, flipped, true);
  EXPECT_TRUE(at::equal(flipped, test_transform({&images[0], 1}, 36, 32, 1).select(1, 0).flip(3)));
}

}  // namespace
}  // namespace actionclip
