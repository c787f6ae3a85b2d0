#include "actionclip/train/mix_choice.h"

#include <set>

#include <gtest/gtest.h>

namespace actionclip {
namespace {

constexpr std::int64_t kSide = 32;

MixChoice choose(const MixConfig& config, std::int64_t part, std::uint64_t seed = 3) {
  return choose_mix(config, kSide, kSide, seed, part);
}

TEST(ChooseMix, WithoutAnAlphaNothingIsMixed) {
  for (std::int64_t part = 0; part < 20; ++part) EXPECT_FALSE(choose({}, part).mixes());
}

TEST(ChooseMix, IsAFunctionOfSeedAndPart) {
  const MixConfig config{.mixup_alpha = 0.8, .cutmix_alpha = 1};
  std::set<double> shares;
  for (std::int64_t part = 0; part < 50; ++part) {
    const auto choice = choose(config, part);
    EXPECT_EQ(choice.share, choose(config, part).share);
    EXPECT_EQ(choice.box, choose(config, part).box);
    shares.insert(choice.share);
    EXPECT_NE(choice.share, choose(config, part, /*seed=*/4).share);
  }
  EXPECT_GT(shares.size(), 45u) << "drawn anew for each part";
}

TEST(ChooseMix, MixesAsOftenAndSwitchesAsOftenAsTheSettingsSay) {
  const MixConfig config{
      .mixup_alpha = 0.8, .cutmix_alpha = 1, .probability = 0.6, .switch_probability = 0.25};
  int mixed = 0, boxes = 0;
  for (std::int64_t part = 0; part < 4000; ++part) {
    const auto choice = choose(config, part);
    mixed += choice.mixes() || choice.box ? 1 : 0;
    boxes += choice.box ? 1 : 0;
  }
  EXPECT_NEAR(mixed, 2400, 120);
  EXPECT_NEAR(boxes, 600, 90);
}

TEST(ChooseMix, OneAlphaAloneIsTheOneKind) {
  for (std::int64_t part = 0; part < 50; ++part) {
    EXPECT_FALSE(choose({.mixup_alpha = 0.4, .switch_probability = 1}, part).box);
    EXPECT_TRUE(choose({.cutmix_alpha = 0.4, .switch_probability = 0}, part).box);
  }
}

TEST(ChooseMix, TheBoxLiesInTheFrameAndTheShareIsWhatItLeaves) {
  for (std::int64_t part = 0; part < 500; ++part) {
    const auto choice = choose({.cutmix_alpha = 1}, part);
    const auto& box = choice.box.value();
    EXPECT_TRUE(box.x >= 0 && box.y >= 0 && box.width >= 0 && box.height >= 0);
    EXPECT_LE(box.x + box.width, kSide);
    EXPECT_LE(box.y + box.height, kSide);
    EXPECT_DOUBLE_EQ(choice.share, 1 - static_cast<double>(box.width * box.height) / (kSide * kSide));
  }
}

TEST(CutmixChoice, TakesAllOrNothingAtTheEnds) {
  const auto all = cutmix_choice(0, 16, 16, kSide, kSide);
  EXPECT_EQ(all.box, (MixBox{.x = 0, .y = 0, .width = kSide, .height = kSide}));
  EXPECT_EQ(all.share, 0);
  const auto nothing = cutmix_choice(1, 5, 9, kSide, kSide);
  EXPECT_EQ(nothing.share, 1);
  EXPECT_FALSE(nothing.mixes());
  const auto corner = cutmix_choice(0.75, 0, kSide - 1, kSide, kSide);
  EXPECT_EQ(corner.box, (MixBox{.x = 0, .y = kSide - 1 - 8, .width = 8, .height = 9}));
}

}  // namespace
}  // namespace actionclip
