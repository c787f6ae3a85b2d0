// Mean, spread and interval against values from tables and by hand.

#include "actionclip/core/statistics.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace actionclip {
namespace {

TEST(Statistics, MeanAndDeviationAreThoseOfASample) {
  const std::vector<double> values = {1, 2, 6};
  EXPECT_DOUBLE_EQ(mean_of(values), 3);
  EXPECT_DOUBLE_EQ(deviation_of(values) * deviation_of(values), (4.0 + 1 + 9) / 2);
  EXPECT_EQ(mean_of({}), 0);
  EXPECT_EQ(deviation_of(std::vector<double>{5}), 0);
}

// Of 0 and 2 the deviation is sqrt(2), and so is the root of their number: the margin is the quantile itself.
TEST(Statistics, TheMarginOfTwoValuesIsStudentsQuantileOfOneDegree) {
  const std::vector<double> values = {0, 2};
  EXPECT_NEAR(margin_of(values).value(), 12.7062047361747, 1e-9);
  EXPECT_NEAR(margin_of(values, 0.5).value(), 1, 1e-12) << "a quarter of Cauchy's distribution lies beyond 1";
}

TEST(Statistics, TheMarginShrinksWithTheNumberOfValuesAndTheirSpread) {
  // Of two degrees the quantile p is (2p - 1) sqrt(2 / (4 p (1 - p))); the deviations are 1.
  const std::vector<double> three = {1, 2, 3};
  EXPECT_NEAR(margin_of(three).value(), 0.95 * std::sqrt(2 / (4 * 0.975 * 0.025)) / std::sqrt(3), 1e-12);
  const std::vector<double> five = {1, 1, 2, 3, 3};  // of four degrees: 2.776445, from tables
  EXPECT_NEAR(margin_of(five).value(), 2.776445 / std::sqrt(5), 1e-6);
  EXPECT_EQ(margin_of(std::vector<double>{4, 4, 4}).value(), 0);
}

TEST(Statistics, TheMedianDoesNotMindOneSlowStep) {
  EXPECT_EQ(median_of(std::vector<double>{100, 1, 101}), 100);
  EXPECT_EQ(median_of(std::vector<double>{7, 1}), 4);
  EXPECT_EQ(median_of({}), 0);
}

TEST(Statistics, OneValueHasNoMargin) {
  EXPECT_FALSE(margin_of(std::vector<double>{7}));
  EXPECT_FALSE(margin_of({}));
}

}  // namespace
}  // namespace actionclip
