#include "actionclip/core/random.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <set>
#include <stdexcept>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace actionclip {
namespace {

TEST(RandomStream, SameKeyGivesSameNumbers) {
  RandomStream a(7, RandomPurpose::kFrames, 3, 11);
  RandomStream b(7, RandomPurpose::kFrames, 3, 11);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(a.next(), b.next());
}

TEST(RandomStream, AnyPartOfTheKeyChangesTheNumbers) {
  std::set<std::uint32_t> first;
  first.insert(RandomStream(7, RandomPurpose::kFrames, 3, 11).next());
  first.insert(RandomStream(8, RandomPurpose::kFrames, 3, 11).next());
  first.insert(RandomStream(7, RandomPurpose::kShuffle, 3, 11).next());
  first.insert(RandomStream(7, RandomPurpose::kFrames, 4, 11).next());
  first.insert(RandomStream(7, RandomPurpose::kFrames, 3, 12).next());
  first.insert(RandomStream(7, RandomPurpose::kFrames, 3, 11 + (1ull << 40)).next());
  EXPECT_EQ(first.size(), 6u);
}

// The stored values pin the streams across versions: a change would silently alter every run's samples.
TEST(RandomStream, FirstNumbersNeverChange) {
  RandomStream stream(1024, RandomPurpose::kAugmentation, 1, 2);
  for (const std::uint32_t expected :
       {2077334796u, 1413318807u, 3981565479u, 1224577401u, 3453066202u, 3306287375u}) {
    EXPECT_EQ(stream.next(), expected);
  }
}

TEST(RandomStream, BelowIsUniformAndInRange) {
  RandomStream stream(1, RandomPurpose::kShuffle);
  std::array<int, 7> counts{};
  for (int i = 0; i < 70000; ++i) {
    const auto value = stream.below(7);
    ASSERT_GE(value, 0);
    ASSERT_LT(value, 7);
    ++counts[value];
  }
  for (const int count : counts) EXPECT_NEAR(count, 10000, 500);
  EXPECT_THROW(stream.below(0), std::invalid_argument);
}

TEST(RandomStream, NormalHasMeanZeroAndUnitVariance) {
  RandomStream stream(1, RandomPurpose::kSynthetic);
  double sum = 0, squares = 0;
  constexpr int kCount = 100000;
  for (int i = 0; i < kCount; ++i) {
    const double value = stream.normal();
    sum += value;
    squares += value * value;
  }
  EXPECT_NEAR(sum / kCount, 0, 0.02);
  EXPECT_NEAR(squares / kCount, 1, 0.02);
}

// Mean a / (a + b), variance ab / ((a + b)^2 (a + b + 1)), whether the shapes lie below 1, at it or above.
TEST(RandomStream, BetaHasItsMeanAndVariance) {
  constexpr int kCount = 50000;
  const std::pair<double, double> shapes[] = {{0.2, 0.2}, {0.8, 0.8}, {1, 1}, {2, 5}, {0.5, 3}, {40, 10}};
  for (const auto& [a, b] : shapes) {
    RandomStream stream(5, RandomPurpose::kMix);
    double sum = 0, squares = 0;
    for (int i = 0; i < kCount; ++i) {
      const double value = stream.beta(a, b);
      ASSERT_TRUE(value >= 0 && value <= 1) << value;
      sum += value;
      squares += value * value;
    }
    const double mean = sum / kCount;
    EXPECT_NEAR(mean, a / (a + b), 0.01) << a << ", " << b;
    EXPECT_NEAR(squares / kCount - mean * mean, a * b / ((a + b) * (a + b) * (a + b + 1)), 0.004)
        << a << ", " << b;
  }
}

// P(x <= q) of Beta(1/2, 1/2) is the arcsine law's 2/pi asin(sqrt(q)).
TEST(RandomStream, BetaIsDistributedAsItsLawSays) {
  constexpr int kCount = 50000;
  RandomStream stream(6, RandomPurpose::kMix);
  std::vector<double> values;
  for (int i = 0; i < kCount; ++i) values.push_back(stream.beta(0.5, 0.5));
  for (const double q : {0.01, 0.1, 0.3, 0.5, 0.9}) {
    const auto below = std::count_if(values.begin(), values.end(), [&](double value) { return value <= q; });
    EXPECT_NEAR(static_cast<double>(below) / kCount, 2 / std::numbers::pi * std::asin(std::sqrt(q)), 0.01);
  }
}

TEST(RandomStream, BetaOfShapesNearZeroIsOneOrTheOtherEnd) {
  RandomStream stream(7, RandomPurpose::kMix);
  int ones = 0, between = 0;
  for (int i = 0; i < 2000; ++i) {
    const double value = stream.beta(1e-4, 1e-4);
    ones += value > 0.5 ? 1 : 0;
    between += value > 0.01 && value < 0.99 ? 1 : 0;
  }
  EXPECT_NEAR(ones, 1000, 120);
  EXPECT_LT(between, 20);
  EXPECT_THROW(stream.beta(0, 1), std::invalid_argument);
  EXPECT_THROW(stream.beta(1, -1), std::invalid_argument);
}

TEST(RandomStream, ShuffleKeepsTheElements) {
  std::vector<int> values{1, 2, 3, 4, 5, 6, 7, 8};
  RandomStream(3, RandomPurpose::kShuffle, 0).shuffle(values);
  EXPECT_EQ(std::set<int>(values.begin(), values.end()).size(), 8u);
  EXPECT_NE(values, (std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8}));
}

}  // namespace
}  // namespace actionclip
