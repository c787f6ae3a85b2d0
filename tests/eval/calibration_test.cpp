#include "actionclip/eval/calibration.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"
#include "actionclip/eval/figures.h"

#include "tests/eval/random_scores.h"

namespace actionclip {
namespace {

using ::testing::HasSubstr;

// Two classes; each video is given `probability` for class 0, and the first `right` are of it.
VideoScores sure_of_the_first(float probability, int right, int videos) {
  VideoScores scores{.labels = {"a", "b"}};
  for (int i = 0; i < videos; ++i) {
    scores.videos.push_back({std::to_string(i), {i < right ? 0 : 1}, ""});
    scores.probabilities.insert(scores.probabilities.end(), {probability, 1 - probability});
  }
  return scores;
}

TEST(CalibrationError, IsTheDistanceOfConfidenceFromAccuracy) {
  EXPECT_NEAR(calibration_error(sure_of_the_first(0.75F, 3, 4)).value(), 0, 1e-9);
  EXPECT_NEAR(calibration_error(sure_of_the_first(1.0F, 3, 4)).value(), 25, 1e-9);
}

TEST(CalibrationError, FailedVideosAreLeftOutAndWithoutOthersThereIsNone) {
  auto scores = random_scores_of({.videos = 3, .failed_every = 1});
  EXPECT_EQ(calibration_error(scores), std::nullopt);
  EXPECT_EQ(calibration_error(random_scores_of({.multi_label = true})), std::nullopt);
}

TEST(Temperature, MakesAModelAsSureAsItIsRight) {
  const auto scores = sure_of_the_first(0.99F, 70, 100);
  const auto cooled = with_temperature(scores, fit_temperature(scores));
  EXPECT_NEAR(cooled.probabilities[0], 0.7F, 1e-5);
  EXPECT_NEAR(calibration_error(cooled).value(), 0, 1e-3);
}

TEST(Temperature, KeepsTheOrderAndLowersTheLossOfItsOwnVideos) {
  const auto scores = random_scores_of({.videos = 200, .skill = 3, .failed_every = 9});
  for (const auto& start : {with_temperature(scores, 0.2), with_temperature(scores, 5), scores}) {
    const double temperature = fit_temperature(start);
    const auto fitted = with_temperature(start, temperature);
    EXPECT_EQ(metrics_of(fitted).counts(), metrics_of(scores).counts());
    EXPECT_LE(mean_loss(fitted), mean_loss(start) + 1e-9);
    for (const double other : {0.95, 1.05})
      EXPECT_LT(mean_loss(fitted), mean_loss(with_temperature(start, other * temperature)));
  }
  EXPECT_NEAR(fit_temperature(with_temperature(scores, 2)) * 2, fit_temperature(scores), 1e-3);
}

TEST(Temperature, OfVideosThatAreAllRightIsTheSmallest) {
  EXPECT_DOUBLE_EQ(fit_temperature(sure_of_the_first(0.9F, 5, 5)), 0.01);
}

TEST(Temperature, WithoutScoresOrForSeveralLabelsIsRefused) {
  const auto error_of = [](const VideoScores& scores) -> std::string {
    try {
      fit_temperature(scores);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(error_of(random_scores_of({.failed_every = 1})), HasSubstr("no video has scores"));
  EXPECT_THAT(error_of(random_scores_of({.multi_label = true})), HasSubstr("multi-label"));
}

}  // namespace
}  // namespace actionclip
