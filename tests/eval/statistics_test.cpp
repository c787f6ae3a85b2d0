// Mean, spread and interval against values from tables and by hand.

#include "actionclip/eval/statistics.h"

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
  const std::vector<double> three = {1, 2, 3};  // deviation 1; t = 4.302652729911275
  EXPECT_NEAR(margin_of(three).value(), 4.302652729911275 / 1.7320508075688772, 1e-12);
  const std::vector<double> five = {1, 1, 2, 3, 3};  // deviation 1; t = 2.776445105198055
  EXPECT_NEAR(margin_of(five).value(), 2.776445105198055 / 2.23606797749979, 1e-9);
  EXPECT_EQ(margin_of(std::vector<double>{4, 4, 4}).value(), 0);
}

TEST(Statistics, OneValueHasNoMargin) {
  EXPECT_FALSE(margin_of(std::vector<double>{7}));
  EXPECT_FALSE(margin_of({}));
}

}  // namespace
}  // namespace actionclip
