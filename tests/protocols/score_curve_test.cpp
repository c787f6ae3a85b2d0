// The picture of scores over shots: that it is whole, and where its points lie.

#include "actionclip/protocols/score_curve.h"

#include <cstddef>
#include <stdexcept>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::size_t count(const std::string& text, const std::string& word) {
  std::size_t found = 0;
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + word.size())) ++found;
  return found;
}

// The number behind the first `name="`, from `from` on.
double attribute(const std::string& svg, const std::string& name, std::size_t from) {
  const auto at = svg.find(name + "=\"", from);
  return std::stod(svg.substr(at + name.size() + 2));
}

TEST(ScoreCurve, HasADotAPointAndABarWhereThereIsAMargin) {
  const auto svg = score_curve_svg("few-shot", {{"few-shot", {{0, 20, {}}, {1, 40, 5.0}, {2, 60, 5.0}}}});
  EXPECT_EQ(count(svg, "<circle"), 3u);
  EXPECT_EQ(count(svg, "class=\"bar\""), 2u);
  EXPECT_EQ(count(svg, "<polyline"), 1u);
  EXPECT_THAT(svg, AllOf(HasSubstr("40.00 ± 5.00"), HasSubstr("20.00<"), HasSubstr("</svg>\n"),
                         HasSubstr("prefers-color-scheme: dark"), Not(HasSubstr("href"))));
}

TEST(ScoreCurve, HigherScoresLieHigherAndMoreShotsFurtherRight) {
  const auto svg = score_curve_svg("few-shot", {{"few-shot", {{1, 40, {}}, {2, 60, {}}}}});
  const auto first = svg.find("<circle"), second = svg.find("<circle", first + 1);
  EXPECT_LT(attribute(svg, "cx", first), attribute(svg, "cx", second));
  EXPECT_GT(attribute(svg, "cy", first), attribute(svg, "cy", second));
}

TEST(ScoreCurve, SeveralCurvesHaveALegend) {
  const auto svg = score_curve_svg("both", {{"base", {{4, 50, 2.0}}}, {"novel", {{4, 30, 2.0}}}});
  EXPECT_EQ(count(svg, "<polyline"), 2u);
  EXPECT_THAT(svg, AllOf(HasSubstr(">base</text>"), HasSubstr(">novel</text>")));
}

TEST(ScoreCurve, ScoresAtTheEndsAndWideIntervalsStayInThePicture) {
  for (const double score : {0.0, 50.0, 100.0}) {
    for (const double margin : {0.0, 500.0}) {
      const auto svg = score_curve_svg("flat", {{"flat", {{1, score, margin}}}});
      EXPECT_THAT(svg, AllOf(Not(HasSubstr("nan")), Not(HasSubstr("inf"))));
      const auto bar = svg.find("class=\"bar\"");
      for (const char* end : {"y1", "y2"}) {
        EXPECT_GE(attribute(svg, end, bar), 0);
        EXPECT_LE(attribute(svg, end, bar), 400);
      }
    }
  }
}

TEST(ScoreCurve, TextIsEscapedAndNothingToDrawIsAnError) {
  EXPECT_THAT(score_curve_svg("a < b & c", {{"x", {{1, 1, {}}}}}), HasSubstr("a &lt; b &amp; c"));
  EXPECT_THROW(score_curve_svg("none", {}), std::invalid_argument);
  EXPECT_THROW(score_curve_svg("none", {{"x", {}}}), std::invalid_argument);
}

}  // namespace
}  // namespace actionclip
