#include "actionclip/eval/average_precision.h"

#include <cmath>
#include <limits>
#include <stdexcept>

#include <gtest/gtest.h>

namespace actionclip {
namespace {

const float kNan = std::numeric_limits<float>::quiet_NaN();

double precision_of(const std::vector<float>& scores, const std::vector<std::uint8_t>& is_positive) {
  return ClassRanking(scores, is_positive).average_precision();
}

TEST(AveragePrecision, IsThePrecisionAtEachPositiveAveraged) {
  EXPECT_DOUBLE_EQ(precision_of({0.9F, 0.8F, 0.7F, 0.6F}, {1, 1, 0, 0}), 1);
  EXPECT_DOUBLE_EQ(precision_of({0.9F, 0.8F, 0.7F, 0.6F}, {1, 0, 1, 0}), (1.0 + 2.0 / 3) / 2);
  EXPECT_DOUBLE_EQ(precision_of({0.6F, 0.7F, 0.8F, 0.9F}, {1, 0, 0, 0}), 0.25);
}

TEST(AveragePrecision, VideosOfEqualScoresShareAThreshold) {
  EXPECT_DOUBLE_EQ(precision_of({0.5F, 0.5F, 0.5F, 0.5F}, {0, 0, 0, 1}), 0.25);
  EXPECT_DOUBLE_EQ(precision_of({0.5F, 0.5F, 0.5F, 0.5F}, {1, 0, 0, 0}), 0.25) << "whatever their order";
}

TEST(AveragePrecision, AVideoWithoutScoresRanksBehindAllOthers) {
  EXPECT_DOUBLE_EQ(precision_of({kNan, 0, 0.1F}, {1, 0, 0}), 1.0 / 3);
}

TEST(AveragePrecision, AClassWithoutAPositiveIsLeftOutOfTheMean) {
  EXPECT_TRUE(std::isnan(precision_of({0.1F, 0.2F}, {0, 0})));
  VideoScores scores{.labels = {"a", "b"},
                     .videos = {{"1", {0}, ""}, {"2", {}, ""}},
                     .probabilities = {0.2F, 0.8F, 0.6F, 0.4F},
                     .multi_label = true};
  EXPECT_DOUBLE_EQ(mean_average_precision(rank_videos(scores)), 0.5);
  scores.videos[0].label_ids.clear();
  EXPECT_DOUBLE_EQ(mean_average_precision(rank_videos(scores)), 0);
}

// More videos than the bytes that counts add up in could hold.
TEST(AveragePrecision, ADrawOfManyVideosIsCountedWhole) {
  constexpr std::size_t kVideos = 2000;
  std::vector<float> scores;
  std::vector<std::uint8_t> is_positive(kVideos);
  for (std::size_t i = 0; i < kVideos; ++i) scores.push_back(static_cast<float>(i));
  is_positive[0] = 1;  // the last in rank
  const std::vector<std::uint8_t> counts(kVideos * kDrawsAtOnce, 3);
  DrawnValues sums{}, classes{};
  ClassRanking(scores, is_positive).add_drawn(counts, sums, classes);
  EXPECT_DOUBLE_EQ(sums[5], 1.0 / kVideos);
  EXPECT_DOUBLE_EQ(classes[5], 1);
}

TEST(AveragePrecision, RefusesWhatDoesNotFit) {
  EXPECT_THROW(precision_of({1, 2}, {1}), std::invalid_argument);
}

}  // namespace
}  // namespace actionclip
