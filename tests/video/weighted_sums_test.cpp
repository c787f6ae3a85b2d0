#include "video/weighted_sums.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/random.h"

#include "video/resample_weights.h"

namespace actionclip {
namespace {

constexpr std::int32_t kOne = 1 << kWeightBits;

using AddWeighted = decltype(&add_weighted);

// Of rows that each hold one value everywhere.
std::vector<std::uint8_t> sum_of(AddWeighted add, const std::vector<std::uint8_t>& values,
                                 const std::vector<std::int32_t>& weights) {
  std::vector<std::vector<std::uint8_t>> rows;
  for (const auto value : values) rows.emplace_back(kSumBlock, value);
  std::vector<const std::uint8_t*> sources;
  for (const auto& row : rows) sources.push_back(row.data());
  std::vector<std::uint8_t> out(kSumBlock);
  add(sources, weights.data(), kSumBlock, out.data());
  return out;
}

class WeightedSums : public ::testing::TestWithParam<AddWeighted> {};

TEST_P(WeightedSums, AreRoundedToTheNearestValue) {
  EXPECT_THAT(sum_of(GetParam(), {10, 20}, {kOne / 4, kOne / 4 * 3}), ::testing::Each(18));  // 17.5
  EXPECT_THAT(sum_of(GetParam(), {10, 20}, {kOne / 2 - 1, kOne / 2}), ::testing::Each(15));
  EXPECT_THAT(sum_of(GetParam(), {200}, {kOne}), ::testing::Each(200));
}

TEST_P(WeightedSums, StayBetweenBlackAndWhite) {
  const std::int32_t below = -kOne / 10;
  EXPECT_THAT(sum_of(GetParam(), {255, 0}, {below, kOne - below}), ::testing::Each(0));
  EXPECT_THAT(sum_of(GetParam(), {0, 255}, {below, kOne - below}), ::testing::Each(255));
  EXPECT_THAT(sum_of(GetParam(), {255, 255}, {below, kOne - below}), ::testing::Each(255));
}

INSTANTIATE_TEST_SUITE_P(Ways, WeightedSums, ::testing::Values(add_weighted_plainly, add_weighted));

TEST(WeightedSumsOf, EveryProcessorAreTheSame) {
  RandomStream random(1, RandomPurpose::kSynthetic);
  constexpr std::int64_t kBytes = 3 * kSumBlock;
  for (std::size_t taps = 1; taps <= 12; ++taps) {
    std::vector<std::uint8_t> pixels(taps * kBytes);
    std::ranges::generate(pixels, [&] { return static_cast<std::uint8_t>(random.next()); });
    std::vector<const std::uint8_t*> sources;
    std::vector<std::int32_t> weights;
    for (std::size_t k = 0; k < taps; ++k) {
      sources.push_back(pixels.data() + k * kBytes);
      weights.push_back(
          static_cast<std::int32_t>(random.next() % (2 * kOne)) / static_cast<std::int32_t>(taps) - kOne / 8);
    }
    std::vector<std::uint8_t> plain(kBytes), fast(kBytes);
    add_weighted_plainly(sources, weights.data(), kBytes, plain.data());
    add_weighted(sources, weights.data(), kBytes, fast.data());
    EXPECT_EQ(plain, fast) << taps << " taps";
  }
}

}  // namespace
}  // namespace actionclip
