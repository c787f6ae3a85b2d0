#include "actionclip/eval/explanation.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace actionclip {
namespace {

// Two labels and three frames, of which the last speaks for the first label.
Explanation three_frames() {
  Explanation explanation{.video = "clip.mp4", .frame_count = 90, .attention = "attention roll-out"};
  explanation.labels = {{"juggling, \"five\" balls", 0.8, 0.3, 0}, {"yoga", 0.2, 0.25, 0}};
  explanation.frames = {{.index = 15, .seconds = 0.5, .similarities = {0.2, 0.22}},
                        {.index = 45, .seconds = 1.5, .similarities = {0.25, 0.21}},
                        {.index = 75, .seconds = 2.5, .similarities = {0.3, 0.2}}};
  explanation.decision = Decision{.margin = 0.05};
  return explanation;
}

TEST(Explanation, TheMomentOfALabelIsItsMostSimilarFrame) {
  auto explanation = three_frames();
  find_moments(explanation);
  EXPECT_EQ(explanation.labels[0].moment, 2);
  EXPECT_EQ(explanation.labels[1].moment, 0);
}

TEST(Explanation, WhatDecidedIsLeavingOneOutElseTheContributionElseTheFramesMargin) {
  auto explanation = three_frames();
  find_moments(explanation);
  EXPECT_EQ(explanation.decision->by, DecidedBy::frame_margin);
  EXPECT_EQ(explanation.decision->frame, 2);
  EXPECT_FALSE(explanation.decision->of_the_head);
  const double contributions[] = {0.01, 0.02, 0.005};
  for (int i = 0; i < 3; ++i) explanation.frames[i].contribution = contributions[i];
  find_moments(explanation);
  EXPECT_EQ(explanation.decision->by, DecidedBy::contribution);
  EXPECT_EQ(explanation.decision->frame, 1);
  EXPECT_NEAR(explanation.decision->of_the_head.value(), 0.015, 1e-12);
  for (int i = 0; i < 3; ++i) explanation.frames[i].leave_one_out = -contributions[i];
  find_moments(explanation);
  EXPECT_EQ(explanation.decision->by, DecidedBy::leave_one_out);
  EXPECT_EQ(explanation.decision->frame, 2);
}

TEST(Explanation, JsonHoldsWhatIsKnownAndNothingElse) {
  auto explanation = three_frames();
  explanation.frames[1].seconds.reset();
  find_moments(explanation);
  const auto json = to_json(explanation);
  EXPECT_EQ(json.at("frame_features"), "before_fusion");
  EXPECT_EQ(json.at("decision").at("runner_up"), "yoga");
  EXPECT_EQ(json.at("decision").at("by"), "frame_margin");
  EXPECT_EQ(json.at("decision").at("moment").at("index"), 75);
  EXPECT_EQ(json.at("labels").at(1).at("moment").at("similarity"), 0.22);
  EXPECT_EQ(json.at("frames").at(0).at("seconds"), 0.5);
  EXPECT_FALSE(json.at("frames").at(1).contains("seconds"));
  EXPECT_FALSE(json.at("frames").at(1).contains("contribution"));
  explanation.decision.reset();
  EXPECT_FALSE(to_json(explanation).contains("decision"));
}

TEST(Explanation, TheTableHasARowAFrame) {
  auto explanation = three_frames();
  explanation.frames[1].seconds.reset();
  EXPECT_EQ(similarity_csv(explanation),
            "frame,index,seconds,\"juggling, \"\"five\"\" balls\",yoga\n"
            "0,15,0.500,0.200000,0.220000\n"
            "1,45,,0.250000,0.210000\n"
            "2,75,2.500,0.300000,0.200000\n");
}

}  // namespace
}  // namespace actionclip
