#include "actionclip/eval/similarity_plot.h"

#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

int count(std::string_view text, std::string_view what) {
  int found = 0;
  for (auto at = text.find(what); at != std::string_view::npos; at = text.find(what, at + what.size()))
    ++found;
  return found;
}

Explanation of(int frames, int labels) {
  Explanation explanation{.video = "a & b.mp4", .frame_count = 100};
  for (int id = 0; id < labels; ++id) {
    ExplainedLabel label;
    label.label = "label " + std::to_string(id);
    explanation.labels.push_back(label);
  }
  for (int t = 0; t < frames; ++t) {
    ExplainedFrame frame{.index = 10 * t, .seconds = 0.4 * t};
    for (int id = 0; id < labels; ++id) frame.similarities.push_back(0.2 + 0.01 * ((t + id) % 4));
    explanation.frames.push_back(frame);
  }
  if (labels > 1) explanation.decision = Decision{.margin = 0.01};
  find_moments(explanation);
  return explanation;
}

TEST(SimilarityPlot, HasALineForEachOfTheFirstFiveLabels) {
  const auto svg = similarity_svg(of(8, 7));
  EXPECT_TRUE(svg.starts_with("<svg xmlns="));
  EXPECT_TRUE(svg.ends_with("</svg>\n"));
  EXPECT_EQ(count(svg, "<polyline"), 5);
  EXPECT_EQ(count(svg, "<circle"), 5 * 8);
  EXPECT_THAT(svg, AllOf(HasSubstr("label 4"), Not(HasSubstr("label 5")), HasSubstr("decided at"),
                         HasSubstr(">seconds<"), HasSubstr("prefers-color-scheme:dark")));
  EXPECT_EQ(count(similarity_svg(of(8, 7), 2), "<polyline"), 2);
}

TEST(SimilarityPlot, LoadsNothing) {
  const auto svg = similarity_svg(of(8, 7));
  EXPECT_THAT(svg, AllOf(Not(HasSubstr("href")), Not(HasSubstr("url(")), Not(HasSubstr("<script"))));
}

TEST(SimilarityPlot, WithoutTimesItGoesByFrames) {
  auto explanation = of(8, 2);
  explanation.frames[3].seconds.reset();
  const auto svg = similarity_svg(explanation);
  EXPECT_THAT(svg, AllOf(HasSubstr(">frame<"), HasSubstr("frame 70"), Not(HasSubstr(">seconds<"))));
}

TEST(SimilarityPlot, OneFrameAndOneLabelAreAPicture) {
  const auto svg = similarity_svg(of(1, 1));
  EXPECT_EQ(count(svg, "<circle"), 1);
  EXPECT_THAT(svg, AllOf(Not(HasSubstr("nan")), Not(HasSubstr("inf")), Not(HasSubstr("decided"))));
}

TEST(SimilarityPlot, LabelsAreTextWhateverTheyHold) {
  auto explanation = of(3, 3);
  explanation.labels[0].label = "<script>\"&\x1b";
  explanation.labels[1].label = "caf\xe9";
  explanation.labels[2].label = "caf\xc3\xa9 " + std::string(100, 'x');
  const auto svg = similarity_svg(explanation);
  EXPECT_THAT(svg, AllOf(HasSubstr("&lt;script&gt;\"&amp;?"), Not(HasSubstr("<script")), HasSubstr("caf?"),
                         HasSubstr("caf\xc3\xa9 xx"), HasSubstr("xx\xe2\x80\xa6<"), Not(HasSubstr("\x1b"))));
  EXPECT_THAT(svg, HasSubstr("a &amp; b.mp4"));
}

}  // namespace
}  // namespace actionclip
