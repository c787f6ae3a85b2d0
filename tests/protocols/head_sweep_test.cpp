// Which clips heads are made of, and what they are scored on.
#include "actionclip/protocols/head_sweep.h"

#include <algorithm>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"
#include "actionclip/protocols/shot_draw.h"

#include "tests/protocols/cached_features.h"

namespace actionclip {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kClasses = 4;

// Videos of separate classes, with other noise by seed.
CachedFeatures separable(std::int64_t videos, std::uint64_t seed) {
  auto features = random_features(videos, kClasses, seed);
  features.video_features *= 0.05;
  for (std::int64_t i = 0; i < videos; ++i) features.video_features[i][0][i % kClasses] += 1;
  return features;
}

TEST(SweepHeads, EveryHeadLearnsClassesThatAreApart) {
  const auto rows =
      sweep_heads(separable(40, 1), separable(20, 2), {.shots = {1, 4}, .seeds = {1, 2}, .l2 = {1e-4}});
  ASSERT_EQ(rows.size(), 1u + 2u * 3u);
  EXPECT_EQ(rows[0].head, "linear_probe");
  EXPECT_EQ(rows[0].shots, 0);
  std::set<std::string> heads;
  for (const auto& row : rows) {
    heads.insert(row.head);
    EXPECT_EQ(row.accuracies.size(), row.shots == 0 ? 1u : 2u);
    if (row.head == "tip_adapter") continue;
    for (const auto& accuracy : row.accuracies) EXPECT_EQ(accuracy.top1(), 100) << row.head << row.shots;
  }
  EXPECT_EQ(heads, (std::set<std::string>{"linear_probe", "nearest_mean", "tip_adapter"}));
}

TEST(SweepHeads, FailedClipsAreNotLearntFromAndCountAsWrong) {
  auto train = separable(40, 1), test = separable(20, 2);
  for (const std::int64_t video : {0, 5, 10}) fail_video(train, video);
  for (const std::int64_t video : {3, 4}) fail_video(test, video);
  for (const auto& row : sweep_heads(train, test, {.shots = {10}, .seeds = {1}, .l2 = {1e-4}})) {
    EXPECT_EQ(row.accuracies[0].samples(), 20);
    EXPECT_EQ(row.accuracies[0].failed(), 2);
    if (row.head == "tip_adapter") continue;  // its texts are at random
    EXPECT_EQ(row.accuracies[0].top1(), 90) << row.head;
  }
}

// A head of K shots is made of the clips that few-shot would draw from the list.
TEST(SweepHeads, DrawsTheClipsThatFewShotDraws) {
  auto train = separable(40, 1);
  VideoList list;
  for (const auto& video : train.videos)
    list.add(VideoEntry{.path = video.path, .label_ids = video.label_ids});
  const auto drawn = choose_shots(list, kClasses, 2, /*seed=*/3);
  // All others are of no use.
  for (std::int64_t i = 0; i < 40; ++i) {
    if (std::ranges::find(drawn, i) == drawn.end()) train.video_features[i] = -1;
  }
  const auto rows = sweep_heads(train, separable(20, 2), {.shots = {2}, .seeds = {3}, .l2 = {1e-4}});
  EXPECT_EQ(rows[1].head, "nearest_mean");
  EXPECT_EQ(rows[1].accuracies[0].top1(), 100);
}

TEST(SweepHeads, WhatDoesNotFitIsRefused) {
  const auto train = separable(40, 1), test = separable(20, 2);
  const auto refused = [&](const CachedFeatures& from, const CachedFeatures& on, const char* reason) {
    try {
      sweep_heads(from, on, {.shots = {10}, .seeds = {1}, .l2 = {1e-4}});
      ADD_FAILURE() << "taken, though " << reason;
    } catch (const Error& problem) {
      EXPECT_THAT(problem.what(), HasSubstr(reason));
    }
  };
  auto other = train;
  other.labels[1] = "another";
  refused(other, test, "other labels");
  other = train;
  other.identity.origin["tensors_sha256"] = "5";
  refused(other, test, "other weights");
  other = train;
  other.videos[1].label_ids = {};
  refused(other, test, "1.mp4 has 0 labels");
  refused(separable(12, 1), test, "10 shots need as many");
}

}  // namespace
}  // namespace actionclip
