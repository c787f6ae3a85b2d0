#include "actionclip/eval/fuse_scores.h"

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"
#include "actionclip/eval/evaluation_report.h"

#include "tests/eval/random_scores.h"

namespace actionclip {
namespace {

using ::testing::HasSubstr;

std::string error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

// Of the same videos and labels, other scores.
std::vector<VideoScores> two_models() {
  auto first = random_scores_of({.videos = 20}), second = first;
  second.probabilities = random_scores_of({.videos = 20, .seed = 7}).probabilities;
  return {first, second};
}

TEST(FuseScores, IsTheWeightedMean) {
  const auto scores = two_models();
  for (const auto& ratios :
       {std::vector<double>{1, 1}, std::vector<double>{3, 1}, std::vector<double>{0, 2}}) {
    const auto fused = fuse_scores(scores, ratios);
    for (std::size_t i = 0; i < fused.probabilities.size(); ++i) {
      const double expected =
          (ratios[0] * scores[0].probabilities[i] + ratios[1] * scores[1].probabilities[i]) /
          (ratios[0] + ratios[1]);
      ASSERT_NEAR(fused.probabilities[i], expected, 1e-6);
    }
  }
}

TEST(FuseScores, AVideoThatFailedInOneHasFailed) {
  auto scores = two_models();
  scores[1].videos[3].failure = "damaged";
  std::fill_n(scores[1].probabilities.begin() + 3 * 9, 9, std::numeric_limits<float>::quiet_NaN());
  const auto fused = fuse_scores(scores, std::vector<double>{1, 1});
  EXPECT_EQ(fused.videos[3].failure, "damaged");
  EXPECT_TRUE(std::isnan(fused.row(3)[0]));
  EXPECT_EQ(fused.videos[2].failure, "");
}

TEST(FuseScores, TheOriginIsWhatAllShare) {
  auto scores = two_models();
  scores[0].origin = {{"list", "val.txt"}, {"weights", "a"}, {"views", "1"}};
  scores[1].origin = {{"list", "val.txt"}, {"weights", "b"}};
  const auto fused = fuse_scores(scores, std::vector<double>{1, 1});
  EXPECT_EQ(fused.origin, (std::map<std::string, std::string>{{"list", "val.txt"}}));
}

TEST(FuseScores, OfOtherNumbersOfViewsNoneIsTold) {
  auto scores = two_models();
  scores[0].origin = {{"views", "1"}};
  scores[1].origin = {{"views", "12"}};
  EXPECT_FALSE(report_of(fuse_scores(scores, std::vector<double>{1, 1})).views);
  scores[1].origin = scores[0].origin;
  EXPECT_EQ(report_of(fuse_scores(scores, std::vector<double>{1, 1})).views, 1);
}

TEST(FuseScores, RatiosThatDoNotServeAreRefused) {
  const auto scores = two_models();
  for (const auto& ratios : {std::vector<double>{1}, std::vector<double>{1, -1}, std::vector<double>{0, 0},
                             std::vector<double>{1, std::nan("")}})
    EXPECT_THAT(error_of([&] { fuse_scores(scores, ratios); }), HasSubstr("ratios"));
}

TEST(RequireSameVideos, SaysWhatDiffers) {
  const auto expect = [](const std::function<void(VideoScores&)>& change, const char* message) {
    auto scores = two_models();
    change(scores[1]);
    EXPECT_THAT(error_of([&] { require_same_videos(scores[0], scores[1]); }), HasSubstr(message));
  };
  expect([](VideoScores&) {}, "");
  expect([](VideoScores& s) { s.labels[2] = "other"; }, "label 2 is 'label 2' and 'other'");
  expect([](VideoScores& s) { s.labels.pop_back(); }, "9 and 8 labels");
  expect([](VideoScores& s) { s.videos.pop_back(); }, "20 and 19 videos");
  expect([](VideoScores& s) { s.videos[4].path = "x"; }, "video 4 is videos/4.mp4 and x");
  expect([](VideoScores& s) { s.videos[4].label_ids = {8}; }, "video 4 (videos/4.mp4) has other labels");
  expect([](VideoScores& s) { s.multi_label = true; }, "multi-label");
}

}  // namespace
}  // namespace actionclip
