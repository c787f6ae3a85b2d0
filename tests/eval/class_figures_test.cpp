#include "actionclip/eval/class_figures.h"

#include <limits>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace actionclip {
namespace {

// Of 3 classes, the last of which no video has; the third video failed.
VideoScores scores_of_four() {
  constexpr float kNone = std::numeric_limits<float>::quiet_NaN();
  return {
      .labels = {"running", "eating", "waving"},
      .videos = {{"a.mp4", {0}, ""}, {"b.mp4", {0}, ""}, {"c.mp4", {0}, "no such file"}, {"d.mp4", {1}, ""}},
      .probabilities = {0.6F, 0.3F, 0.1F, 0.2F, 0.7F, 0.1F, kNone, kNone, kNone, 0.1F, 0.8F, 0.1F}};
}

TEST(ClassFigures, AreAccuraciesInWhichAFailedVideoIsWrong) {
  const auto classes = class_figures(scores_of_four());
  ASSERT_EQ(classes.size(), 2U) << "a class without a video has no accuracy";
  EXPECT_EQ(classes[0]["label"], "running");
  EXPECT_EQ(classes[0]["samples"], 3);
  EXPECT_EQ(classes[0]["failed"], 1);
  EXPECT_NEAR(classes[0]["top1"].get<double>(), 100.0 / 3, 1e-9);
  EXPECT_NEAR(classes[0]["top5"].get<double>(), 200.0 / 3, 1e-9);
  EXPECT_EQ(classes[1],
            (nlohmann::ordered_json{
                {"label", "eating"}, {"samples", 1}, {"failed", 0}, {"top1", 100.0}, {"top5", 100.0}}));
}

TEST(ClassFigures, OfSeveralLabelsAVideoAreAveragePrecisionsInWhichAFailedVideoIsLast) {
  auto scores = scores_of_four();
  scores.multi_label = true;
  scores.videos[1].label_ids = {0, 1};
  const auto classes = class_figures(scores);
  ASSERT_EQ(classes.size(), 2U);
  // Ranked by "running": a, b, d, and c, which failed: of its three at ranks 1, 2 and 4.
  EXPECT_EQ(classes[0]["samples"], 3);
  EXPECT_EQ(classes[0]["failed"], 1);
  EXPECT_NEAR(classes[0]["ap"].get<double>(), 100 * (1.0 + 1.0 + 0.75) / 3, 1e-9);
  // By "eating": d, b.
  EXPECT_EQ(classes[1],
            (nlohmann::ordered_json{{"label", "eating"}, {"samples", 2}, {"failed", 0}, {"ap", 100.0}}));
}

TEST(ClassFigures, OfNoVideoAreNone) {
  EXPECT_EQ(class_figures({.labels = {"running"}, .videos = {}, .probabilities = {}}),
            nlohmann::ordered_json::array());
}

}  // namespace
}  // namespace actionclip
