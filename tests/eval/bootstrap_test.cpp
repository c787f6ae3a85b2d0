#include "actionclip/eval/bootstrap.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include "actionclip/eval/figures.h"

#include "tests/eval/random_scores.h"

namespace actionclip {
namespace {

TEST(Bootstrap, EveryDrawHasAsManyVideosAsThereAreAndEachIsDrawnAsOften) {
  constexpr std::size_t kVideos = 50;
  std::vector<std::uint64_t> times(kVideos, 0);
  std::size_t draws = 0;
  bootstrap(kVideos, [&](DrawCounts counts) -> std::vector<DrawnValues> {
    EXPECT_EQ(counts.size(), kVideos * kDrawsAtOnce);
    for (std::size_t d = 0; d < kDrawsAtOnce; ++d) {
      std::size_t drawn = 0;
      for (std::size_t i = 0; i < kVideos; ++i) {
        drawn += counts[i * kDrawsAtOnce + d];
        times[i] += counts[i * kDrawsAtOnce + d];
      }
      EXPECT_EQ(drawn, kVideos);
    }
    draws += kDrawsAtOnce;
    return {};
  });
  EXPECT_GE(draws, kBootstrapDraws);
  for (const auto count : times)
    EXPECT_NEAR(static_cast<double>(count), static_cast<double>(draws), 6 * std::sqrt(draws));
}

TEST(Bootstrap, TheSameVideosGiveTheSameDraws) {
  const auto scores = random_scores_of({.failed_every = 11});
  const auto once = figures_of(scores), again = figures_of(scores);
  for (std::size_t f = 0; f < once.size(); ++f) {
    EXPECT_EQ(once[f].interval.low, again[f].interval.low);
    EXPECT_EQ(once[f].interval.high, again[f].interval.high);
  }
}

TEST(IntervalOf, IsInterpolatedBetweenValues) {
  std::vector<double> values(101);
  std::iota(values.begin(), values.end(), 0.0);
  const auto interval = interval_of(values);
  EXPECT_DOUBLE_EQ(interval.low, 2.5);
  EXPECT_DOUBLE_EQ(interval.high, 97.5);
  const auto single = interval_of({3});
  EXPECT_DOUBLE_EQ(single.low, 3);
  EXPECT_DOUBLE_EQ(single.high, 3);
}

}  // namespace
}  // namespace actionclip
