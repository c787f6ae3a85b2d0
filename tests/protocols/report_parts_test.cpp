// The pieces that a report is made of.

#include <cstddef>
#include <cstdint>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/machine.h"

#include "protocols/report/chart.h"
#include "protocols/report/choose_examples.h"
#include "protocols/report/class_results.h"
#include "protocols/report/confusion.h"
#include "protocols/report/html.h"
#include "protocols/report/json_values.h"
#include "tests/protocols/made_run.h"

namespace actionclip::detail {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pointwise;

TEST(Html, EscapesWhatHasAMeaningInIt) {
  EXPECT_EQ(escape_html("<b a=\"1\" c='2'> & é"), "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt; &amp; é");
}

TEST(Html, ReplacesBytesThatAreNotText) {
  EXPECT_EQ(escape_html("a\xff\xc3(b\x01\n"), "a\uFFFD\uFFFD(b\uFFFD\n");
  EXPECT_EQ(escape_html("cut \xe2\x82"), "cut \uFFFD");
}

TEST(Html, CutsLongTextBetweenCharacters) {
  EXPECT_EQ(escape_html("ééé", 3), "é…");
  EXPECT_EQ(escape_html("ééé", 6), "ééé");
}

TEST(Html, JsonCannotEndTheScriptThatHoldsIt) {
  const auto text = json_for_script({{"label", "</script><script>alert(1)</script>"}});
  EXPECT_THAT(text, Not(HasSubstr("<")));
  EXPECT_EQ(nlohmann::json::parse(text).at("label"), "</script><script>alert(1)</script>");
}

TEST(Html, WritesBase64) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("M"), "TQ==");
  EXPECT_EQ(base64("Man"), "TWFu");
}

TEST(Html, SetsThousandsApart) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1234567), "1,234,567");
  EXPECT_EQ(grouped(-1000), "-1,000");
}

TEST(JsonValues, AreThoseOfTheRightKindAlone) {
  const nlohmann::ordered_json json = {{"a", 1.5},
                                       {"b", "text"},
                                       {"c", std::numeric_limits<double>::infinity()},
                                       {"intervals", {{"a", {1, 2}}, {"b", {1}}}}};
  EXPECT_EQ(number(json, "a"), 1.5);
  EXPECT_FALSE(number(json, "b"));
  EXPECT_FALSE(number(json, "c"));
  EXPECT_FALSE(number(nlohmann::ordered_json(3), "a"));
  EXPECT_EQ(text_at(json, "b"), "text");
  EXPECT_EQ(text_at(json, "a"), "");
  EXPECT_EQ(interval_at(json, "a"), std::pair(1.0, 2.0));
  EXPECT_FALSE(interval_at(json, "b"));
  EXPECT_FALSE(interval_at(json, "c"));
  EXPECT_TRUE(array_at(json, "a").empty());
  EXPECT_TRUE(array_at(nlohmann::ordered_json(3), "a").empty());
  EXPECT_EQ(array_at(json["intervals"], "b").size(), 1U);
}

TEST(Chart, KeepsExtremesAndMeansOfALongCurve) {
  Curve curve;
  for (int step = 0; step < 1000; ++step) {
    curve.steps.push_back(step);
    curve.values.push_back(step == 537 ? 50 : 1);
  }
  const auto points = reduce(curve, 100);
  ASSERT_EQ(points.size(), 100U);
  EXPECT_EQ(points[53].high, 50);
  EXPECT_EQ(points[53].low, 1);
  EXPECT_DOUBLE_EQ(points[53].mean, 5.9);
  EXPECT_DOUBLE_EQ(points[53].x, 534.5);
  EXPECT_EQ(reduce(curve, 5000).size(), 1000U);
  EXPECT_TRUE(reduce({}, 10).empty());
}

TEST(Chart, MarksItsAxesAtRoundNumbers) {
  EXPECT_THAT(round_ticks(0, 1, 5), Pointwise(DoubleEq(), {0.0, 0.2, 2 * 0.2, 3 * 0.2, 4 * 0.2, 1.0}));
  EXPECT_THAT(round_ticks(0, 46950, 5), ElementsAre(0, 10000, 20000, 30000, 40000));
  EXPECT_TRUE(round_ticks(1, 1, 5).empty());
}

TEST(Chart, DrawsOneValueAsADot) {
  const auto svg = line_chart({.title = "top-1", .unit = "%"}, {{.name = "top-1", .points = {{3, 5, 5, 5}}}});
  EXPECT_THAT(svg, HasSubstr("<circle"));
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_THAT(svg, Not(HasSubstr("inf")));
}

TEST(Chart, SaysInWordsWhereAPointLies) {
  CurvePoint point{.x = 1.58496, .low = 5, .mean = 5, .high = 5};
  point.place = "2 clips a class";
  const auto svg = line_chart({.title = "top-1"}, {{.name = "top-1", .points = {point}, .dots = true}});
  EXPECT_THAT(svg, HasSubstr("<title>top-1: 5 at 2 clips a class</title>"));
}

TEST(ClassResults, AreThoseOfZeroShotsScores) {
  RunRecord run;
  run.zero_shot_scores.push_back(made_scores(5, 3));
  auto& scores = run.zero_shot_scores.front();
  scores.videos[4].failure = "no such file";
  for (const std::size_t cell : {8U, 9U})
    scores.probabilities[cell] = std::numeric_limits<float>::quiet_NaN();
  const auto results = class_results(run);
  ASSERT_TRUE(results.confusion);
  EXPECT_EQ(worst_pairs(*results.confusion, 10).size(), 1U);
  std::int64_t videos = 0;
  for (const auto& cell : results.confusion->cells) videos += cell.videos;
  EXPECT_EQ(videos, 4) << "those that have scores";
  ASSERT_EQ(results.classes.size(), 2U);
  EXPECT_EQ(text_at(results.classes[0], "label"), "running");
  EXPECT_EQ(number(results.classes[0], "samples"), 3);
  EXPECT_EQ(number(results.classes[0], "failed"), 1);
  EXPECT_NEAR(*number(results.classes[0], "top1"), 200.0 / 3, 1e-9);
  EXPECT_EQ(shown_scores(run), &scores);
}

TEST(ClassResults, OfSeveralLabelsAVideoAreAveragePrecisions) {
  RunRecord run;
  run.zero_shot_scores.push_back(made_scores(4, 4));
  run.zero_shot_scores.front().multi_label = true;
  const auto results = class_results(run);
  EXPECT_FALSE(results.confusion);
  ASSERT_EQ(results.classes.size(), 2U);
  EXPECT_EQ(number(results.classes[1], "ap"), 100);
  EXPECT_FALSE(number(results.classes[1], "top1"));
}

TEST(Confusion, ListsTheMostFrequentMistakesFirst) {
  const ConfusionMatrix matrix{.labels = {"a", "b", "c"},
                               .cells = {{0, 0, 8}, {0, 1, 2}, {1, 0, 3}, {1, 1, 1}, {2, 0, 2}, {2, 2, 1}}};
  const auto pairs = worst_pairs(matrix, 2);
  ASSERT_EQ(pairs.size(), 2U);
  EXPECT_EQ(pairs[0].truth, 1);
  EXPECT_EQ(pairs[0].videos, 3);
  EXPECT_DOUBLE_EQ(pairs[0].share, 0.75);
  EXPECT_EQ(pairs[1].truth, 2) << "of equally many, the larger share of the class";
}

TEST(Confusion, SaysThatNoMistakeWasMade) {
  EXPECT_THAT(confusion_section({.labels = {"a"}, .cells = {{0, 0, 1}}}),
              HasSubstr("No video was given a wrong class"));
}

TEST(Examples, AreOfDifferentClassesWhereThereAreEnough) {
  const auto found = choose_examples(made_scores(100, 50), 2);
  ASSERT_EQ(found.right.size(), 2U);
  ASSERT_EQ(found.wrong.size(), 2U);
  EXPECT_NE(found.wrong[0].predicted, found.wrong[1].predicted);
  EXPECT_NE(found.right[0].predicted, found.right[1].predicted);
  EXPECT_GE(found.wrong[0].probability, 0.5);
}

TEST(Examples, PassOverVideosWithoutScores) {
  auto scores = made_scores(4, 4);
  for (auto& video : scores.videos) video.failure = "no such file";
  const auto found = choose_examples(scores, 3);
  EXPECT_TRUE(found.right.empty());
  EXPECT_TRUE(found.wrong.empty());
}

TEST(Machine, IsDescribed) {
  const auto machine = describe_machine();
  EXPECT_GE(machine.at("cores").get<int>(), 1);
  EXPECT_THAT(machine.at("os").get<std::string>(), HasSubstr("Linux"));
}

}  // namespace
}  // namespace actionclip::detail
