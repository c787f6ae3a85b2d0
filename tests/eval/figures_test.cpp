#include "actionclip/eval/figures.h"

#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/error.h"
#include "actionclip/eval/evaluation_report.h"

#include "tests/eval/random_scores.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<std::string> names_of(const std::vector<Figure>& figures) {
  std::vector<std::string> names;
  for (const auto& figure : figures) names.push_back(figure.name);
  return names;
}

TEST(Figures, AreThoseOfTheKindOfList) {
  EXPECT_THAT(names_of(figures_of(random_scores_of({}))), ElementsAre("top1", "top5", "mean_class_accuracy"));
  EXPECT_THAT(names_of(figures_of(random_scores_of({.multi_label = true}))), ElementsAre("map"));
}

TEST(Figures, LieInTheirIntervalsWhichNarrowWithTheVideos) {
  std::vector<double> widths;
  for (const std::size_t videos : {100, 1600}) {
    const auto figures = figures_of(random_scores_of({.videos = videos}));
    for (const auto& figure : figures) {
      EXPECT_LE(figure.interval.low, figure.percent) << figure.name;
      EXPECT_GE(figure.interval.high, figure.percent) << figure.name;
    }
    const double p = figures[0].percent / 100;
    widths.push_back(figures[0].interval.high - figures[0].interval.low);
    const double expected = 2 * 1.96 * 100 * std::sqrt(p * (1 - p) / static_cast<double>(videos));
    EXPECT_NEAR(widths.back(), expected, 0.2 * expected) << "the binomial's";
  }
  EXPECT_LT(widths[1], widths[0] / 3);
}

TEST(Figures, FailedVideosCountAsWrong) {
  const auto figures = figures_of(random_scores_of({.failed_every = 1}));
  for (const auto& figure : figures) EXPECT_EQ(figure.percent, 0) << figure.name;
}

TEST(Figures, OfOneVideoHaveAnInterval) {
  for (const bool multi_label : {false, true}) {
    for (const auto& figure : figures_of(random_scores_of({.videos = 1, .multi_label = multi_label}))) {
      EXPECT_EQ(figure.interval.low, figure.percent);
      EXPECT_EQ(figure.interval.high, figure.percent);
    }
  }
}

TEST(FigureDifferences, ArePairedSoThatASmallOneOfTheSameVideosShows) {
  const auto first = random_scores_of({.videos = 400, .skill = 2});
  auto second = first;  // right where the first is, and in twenty videos more
  int mended = 0;
  for (std::size_t i = 0; i < second.videos.size() && mended < 20; ++i) {
    const auto label_id = second.videos[i].label_ids[0];
    if (top_label(second.row(i)) == label_id) continue;
    second.probabilities[i * second.labels.size() + label_id] = 1;
    ++mended;
  }
  const auto differences = figure_differences(first, second);
  EXPECT_NEAR(differences[0].percent, 5, 1e-9);
  EXPECT_GT(differences[0].interval.low, 2);
  EXPECT_LT(differences[0].interval.high, 8);
  EXPECT_TRUE(is_more_than_chance(differences[0]));
  EXPECT_LT(figures_of(second)[0].interval.low, figures_of(first)[0].interval.high) << "alone they overlap";
  for (const auto& figure : figure_differences(first, first)) {
    EXPECT_EQ(figure.percent, 0);
    EXPECT_EQ(figure.interval.high, 0);
    EXPECT_FALSE(is_more_than_chance(figure));
  }
}

TEST(FigureDifferences, OfOtherVideosAreRefused) {
  EXPECT_THROW(figure_differences(random_scores_of({}), random_scores_of({.videos = 59})), Error);
}

TEST(MeanLoss, IsAveragedOverAVideosLabels) {
  VideoScores scores{.labels = {"a", "b", "c"},
                     .videos = {{"1", {0, 1}, ""}, {"2", {2}, ""}, {"3", {}, ""}},
                     .probabilities = {0.5F, 0.25F, 0.25F, 0, 0, 1, 1, 0, 0},
                     .multi_label = true};
  EXPECT_NEAR(mean_loss(scores), (std::log(2.0) + std::log(4.0)) / 4, 1e-9);
  EXPECT_TRUE(std::isnan(mean_loss(random_scores_of({.failed_every = 1}))));
}

TEST(EvaluationReport, TellsTheFiguresOfItsKindOfListWithIntervals) {
  auto scores = random_scores_of({.failed_every = 10});
  scores.origin["views"] = "6";
  const auto report = report_of(scores);
  const auto json = to_json(report);
  for (const char* key : {"top1", "top5", "mean_class_accuracy", "ece", "loss"})
    EXPECT_TRUE(json.at(key).is_number());
  EXPECT_EQ(json.at("samples"), 60);
  EXPECT_EQ(json.at("failed"), 6);
  EXPECT_EQ(json.at("views"), 6);
  EXPECT_EQ(json.at("intervals").at("top1").at(1), report.figures[0].interval.high);
  EXPECT_THAT(to_table(report),
              AllOf(HasSubstr("mean class accuracy (%)"), HasSubstr("calibration error (%)"), HasSubstr(" ["),
                    Not(HasSubstr("mAP"))));

  const auto several = report_of(random_scores_of({.multi_label = true}));
  EXPECT_TRUE(to_json(several).at("map").is_number());
  for (const char* key : {"top1", "top5", "ece"}) EXPECT_FALSE(to_json(several).contains(key)) << key;
  EXPECT_EQ(to_json(several).at("samples"), 60);
  EXPECT_THAT(to_table(several), AllOf(HasSubstr("mAP (%)"), Not(HasSubstr("top-1"))));
}

TEST(EvaluationReport, OfFailedVideosAloneHasNoLossAndNoCalibration) {
  const auto json = to_json(report_of(random_scores_of({.failed_every = 1})));
  EXPECT_TRUE(json.at("loss").is_null());
  EXPECT_TRUE(json.at("ece").is_null());
  EXPECT_EQ(json.at("top1"), 0);
}

}  // namespace
}  // namespace actionclip
