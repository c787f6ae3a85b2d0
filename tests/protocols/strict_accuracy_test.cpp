#include "actionclip/protocols/strict_accuracy.h"

#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace actionclip {
namespace {

// Three labels; 0 was trained on.
VideoScores scores() {
  VideoScores scores;
  scores.labels = {"seen", "new", "newer"};
  const auto add = [&](std::int32_t label_id, std::vector<float> row, const std::string& failure = "") {
    scores.videos.push_back({.path = "v", .label_ids = {label_id}, .failure = failure});
    scores.probabilities.insert(scores.probabilities.end(), row.begin(), row.end());
  };
  add(0, {0.9F, 0.1F, 0.0F});
  add(1, {0.2F, 0.7F, 0.1F});                // right
  add(2, {0.6F, 0.1F, 0.3F});                // right without the trained label alone
  add(1, {0.5F, 0.1F, 0.4F});                // wrong
  add(2, {0.0F, 0.0F, 0.0F}, "no decoder");  // wrong
  return scores;
}

TEST(StrictAccuracy, LeavesOutVideosOfTrainedLabelsAndInTheSecondFigureTheLabelsToo) {
  const auto strict = strict_accuracy(scores(), {0});
  EXPECT_EQ(strict.videos, 4);
  EXPECT_EQ(strict.labels, 2);
  EXPECT_DOUBLE_EQ(*strict.top1, 25);
  EXPECT_DOUBLE_EQ(*strict.top1_of_left, 50);
  EXPECT_DOUBLE_EQ(*strict.top5, 75);
  EXPECT_DOUBLE_EQ(*strict.top5_of_left, 75);
}

TEST(StrictAccuracy, WithNothingLeftOutIsTheUsualAccuracy) {
  const auto strict = strict_accuracy(scores(), {});
  EXPECT_EQ(strict.videos, 5);
  EXPECT_EQ(strict.labels, 3);
  EXPECT_DOUBLE_EQ(*strict.top1, 40);
  EXPECT_DOUBLE_EQ(*strict.top1_of_left, 40);
}

TEST(StrictAccuracy, OfNothingThatIsLeftThereIsNone) {
  EXPECT_FALSE(strict_accuracy(scores(), {0, 1, 2}).top1);
  auto none = scores();
  none.videos.resize(1);
  EXPECT_FALSE(strict_accuracy(none, {0}).top1_of_left);
}

TEST(StrictAccuracy, RefusesWhatItCannotRank) {
  auto several = scores();
  several.multi_label = true;
  EXPECT_THROW(strict_accuracy(several, {}), std::invalid_argument);
  EXPECT_THROW(strict_accuracy(scores(), {3}), std::invalid_argument);
}

}  // namespace
}  // namespace actionclip
