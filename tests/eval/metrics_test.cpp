#include "actionclip/eval/metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/random.h"

namespace actionclip {
namespace {

const float kNan = std::numeric_limits<float>::quiet_NaN();

std::vector<float> random_scores(std::int64_t classes, std::uint64_t index) {
  RandomStream stream(1, RandomPurpose::kSynthetic, index);
  std::vector<float> scores;
  // Few distinct values, so that ties are frequent.
  for (std::int64_t c = 0; c < classes; ++c) scores.push_back(static_cast<float>(stream.below(6)));
  return scores;
}

TEST(RankOfLabel, EqualsTheLabelsPlaceInAStableSort) {
  for (std::uint64_t index = 0; index < 200; ++index) {
    const auto scores = random_scores(12, index);
    std::vector<std::int64_t> order(scores.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i);
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return scores[a] > scores[b]; });
    EXPECT_EQ(top_label(scores), order[0]);
    for (std::size_t place = 0; place < order.size(); ++place) {
      EXPECT_EQ(rank_of_label(scores, order[place]), static_cast<std::int64_t>(place));
    }
  }
}

TEST(RankOfLabel, ALabelAmongNanScoresRanksBehindAll) {
  const std::vector<float> scores = {1, kNan, 0};
  EXPECT_EQ(rank_of_label(scores, 0), 3);
  EXPECT_EQ(top_label(scores), -1);
}

TEST(RankOfLabel, InfiniteScoresAreRanked) {
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(rank_of_label(std::vector<float>{-infinity, 0, infinity}, 0), 2);
}

TEST(ClassificationMetrics, CountsTopOneAndTopFive) {
  ClassificationMetrics metrics(7);
  const std::vector<float> falling = {7, 6, 5, 4, 3, 2, 1};
  metrics.add(falling, 0);
  metrics.add(falling, 4);
  metrics.add(falling, 5);
  metrics.add(falling, 6);
  EXPECT_EQ(metrics.samples(), 4);
  EXPECT_DOUBLE_EQ(metrics.top1(), 25);
  EXPECT_DOUBLE_EQ(metrics.top5(), 50);
}

TEST(ClassificationMetrics, AllScoresEqualFavoursNoLabelButTheFirst) {
  ClassificationMetrics metrics(10);
  for (std::int64_t label_id = 0; label_id < 10; ++label_id)
    metrics.add(std::vector<float>(10, 0.5f), label_id);
  EXPECT_DOUBLE_EQ(metrics.top1(), 10);
  EXPECT_DOUBLE_EQ(metrics.top5(), 50);
}

TEST(ClassificationMetrics, FailedVideosCountAsWrong) {
  ClassificationMetrics metrics(2);
  metrics.add(std::vector<float>{1, 0}, 0);
  metrics.add_failed(0);
  metrics.add(std::vector<float>{kNan, 0}, 1);
  EXPECT_EQ(metrics.samples(), 3);
  EXPECT_EQ(metrics.failed(), 2);
  EXPECT_DOUBLE_EQ(metrics.top1(), 100.0 / 3);
  EXPECT_DOUBLE_EQ(metrics.top5(), 100.0 / 3);
  EXPECT_EQ(metrics.of_class(0).samples, 2);
  EXPECT_EQ(metrics.of_class(0).failed, 1);
  EXPECT_DOUBLE_EQ(metrics.of_class(0).top1, 50);
}

TEST(ClassificationMetrics, TellsWhichClassesAreConfused) {
  ClassificationMetrics metrics(3);
  metrics.add(std::vector<float>{0, 1, 0}, 0);
  metrics.add(std::vector<float>{0, 1, 0}, 0);
  metrics.add(std::vector<float>{0, 1, 0}, 1);
  EXPECT_EQ(metrics.confusion(0, 1), 2);
  EXPECT_EQ(metrics.confusion(1, 1), 1);
  EXPECT_EQ(metrics.confusion(1, 0), 0);
  const auto table = metrics.per_class();
  ASSERT_EQ(table.size(), 3u);
  EXPECT_EQ(table[0].samples, 2);
  EXPECT_DOUBLE_EQ(table[0].top1, 0);
  EXPECT_DOUBLE_EQ(table[0].top5, 100);
  EXPECT_DOUBLE_EQ(table[1].top1, 100);
  EXPECT_EQ(table[2].samples, 0);
  EXPECT_DOUBLE_EQ(table[2].top1, 0);
}

TEST(ClassificationMetrics, BeforeTheFirstVideoEverythingIsZero) {
  const ClassificationMetrics metrics(3);
  EXPECT_DOUBLE_EQ(metrics.top1(), 0);
  EXPECT_DOUBLE_EQ(metrics.top5(), 0);
  EXPECT_EQ(metrics.samples(), 0);
}

TEST(ClassificationMetrics, TheMeanOverClassesWeighsEachClassTheSame) {
  ClassificationMetrics metrics(4);
  for (int i = 0; i < 8; ++i) metrics.add(std::vector<float>{1, 0, 0, 0}, 0);
  metrics.add(std::vector<float>{1, 0, 0, 0}, 1);
  metrics.add_failed(2);
  EXPECT_DOUBLE_EQ(metrics.top1(), 80);
  EXPECT_DOUBLE_EQ(metrics.mean_class_accuracy(), 100.0 / 3) << "the last class has no video";
  EXPECT_DOUBLE_EQ(ClassificationMetrics(3).mean_class_accuracy(), 0);
}

TEST(ClassificationMetrics, RefusesWhatDoesNotFit) {
  ClassificationMetrics metrics(3);
  EXPECT_THROW(metrics.add(std::vector<float>{1, 2, 3}, 3), std::invalid_argument);
  EXPECT_THROW(metrics.add(std::vector<float>{1, 2, 3}, -1), std::invalid_argument);
  EXPECT_THROW(metrics.add(std::vector<float>{1, 2}, 0), std::invalid_argument);
  EXPECT_THROW(metrics.add_failed(3), std::invalid_argument);
  EXPECT_THROW(ClassificationMetrics(0), std::invalid_argument);
  EXPECT_EQ(metrics.samples(), 0);
}

TEST(GroupAccuracy, AnotherLabelOfTheSameGroupIsRight) {
  GroupAccuracy accuracy({"open", "open", "close"});
  accuracy.add(std::vector<float>{0, 1, 0}, 0);
  accuracy.add(std::vector<float>{0, 0, 1}, 0);
  accuracy.add(std::vector<float>{0, kNan, 1}, 2);
  accuracy.add_failed(2);
  EXPECT_EQ(accuracy.samples(), 4);
  EXPECT_DOUBLE_EQ(accuracy.percent(), 25);
}

TEST(PairAccuracy, ComparesALabelWithItsCounterpartOnly) {
  PairAccuracy accuracy({1, 0, -1});
  accuracy.add(std::vector<float>{2, 1, 9}, 0);  // right, although a third label scores more
  accuracy.add(std::vector<float>{2, 1, 0}, 1);  // wrong
  accuracy.add(std::vector<float>{1, 1, 0}, 0);  // a tie shows no preference
  accuracy.add(std::vector<float>{2, 1, 0}, 2);  // no counterpart: left out
  accuracy.add_failed(0);
  accuracy.add_failed(2);
  EXPECT_EQ(accuracy.samples(), 4);
  EXPECT_DOUBLE_EQ(accuracy.percent(), 25);
}

TEST(PairAccuracy, IsReportedByGroupOfTheTrueLabel) {
  PairAccuracy accuracy({1, 0, 3, 2, -1});
  const std::vector<float> scores{2, 1, 2, 1, 0};
  for (std::int64_t label_id = 0; label_id < 4; ++label_id) accuracy.add(scores, label_id);
  accuracy.add_failed(0);
  accuracy.add(scores, 4);
  const std::map<std::string, double> expected{{"left", 200.0 / 3}, {"right", 0}};
  EXPECT_EQ(accuracy.percent_by(std::vector<std::string>{"left", "right", "left", "right", "still"}),
            expected);
  EXPECT_THROW(accuracy.percent_by(std::vector<std::string>{"left"}), std::invalid_argument);
}

TEST(PairAccuracy, RefusesCounterpartsThatDoNotExist) {
  EXPECT_THROW(PairAccuracy({1, 2}), std::invalid_argument);
  EXPECT_THROW(PairAccuracy({0, 0}), std::invalid_argument);
  PairAccuracy accuracy({1, 0});
  EXPECT_THROW(accuracy.add(std::vector<float>{1, 0}, 2), std::invalid_argument);
  EXPECT_THROW(accuracy.add(std::vector<float>{1}, 0), std::invalid_argument);
}

}  // namespace
}  // namespace actionclip
