// The tensors that color_augment and random_erase take.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"
#include "actionclip/video/photometric.h"

namespace actionclip {
namespace {

at::Tensor noisy_clip(std::int64_t frames) {
  const auto frame = (at::arange(3 * 16 * 20) * 37 % 251).to(at::kByte).view({1, 3, 16, 20});
  return frame.repeat({frames, 1, 1, 1});
}

TransformConfig strong() {
  TransformConfig config;
  config.color_jitter = {.probability = 1};
  config.blur.probability = 1;
  return config;
}

TEST(ClipAugment, ChangesAClipInPlaceAndAllItsFramesAlike) {
  auto clip = noisy_clip(3);
  RandomStream random(1, RandomPurpose::kColor);
  color_augment(clip, strong(), random);
  EXPECT_FALSE(at::equal(clip, noisy_clip(3)));
  EXPECT_TRUE(at::equal(clip[0], clip[1]));
  EXPECT_TRUE(at::equal(clip[0], clip[2]));
  const auto coloured = clip.clone();
  RandomStream erasing(1, RandomPurpose::kErasing);
  random_erase(clip, {.probability = 1}, {}, erasing);
  EXPECT_FALSE(at::equal(clip, coloured));
  EXPECT_TRUE(at::equal(clip[0], clip[2]));
}

TEST(ClipAugment, OfNoChanceTouchesNothing) {
  auto clip = noisy_clip(2);
  RandomStream random(1, RandomPurpose::kColor);
  color_augment(clip, {}, random);
  random_erase(clip, {}, {}, random);
  EXPECT_TRUE(at::equal(clip, noisy_clip(2)));
}

TEST(ClipAugment, AViewOfABatchIsChangedThere) {
  auto batch = noisy_clip(4).view({2, 2, 3, 16, 20});
  RandomStream random(1, RandomPurpose::kColor);
  color_augment(batch[1], strong(), random);
  EXPECT_TRUE(at::equal(batch[0], noisy_clip(2)));
  EXPECT_FALSE(at::equal(batch[1], noisy_clip(2)));
}

TEST(ClipAugment, RefusesATensorThatIsNoClip) {
  RandomStream random(1, RandomPurpose::kColor);
  const auto clip = noisy_clip(2);
  for (const auto& wrong : {at::Tensor(), clip.to(at::kFloat), clip[0], clip.narrow(1, 0, 2),
                            clip.permute({0, 1, 3, 2}), at::empty({2, 4, 16, 20}, at::kByte)}) {
    EXPECT_THROW(color_augment(wrong, strong(), random), Error);
    EXPECT_THROW(random_erase(wrong, {.probability = 1}, {}, random), Error);
  }
  try {
    color_augment(clip.to(at::kFloat), strong(), random);
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("Float [2, 3, 16, 20] on cpu"));
  }
}

}  // namespace
}  // namespace actionclip
