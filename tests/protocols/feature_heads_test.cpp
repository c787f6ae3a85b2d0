// Heads on features against Python, and which clips they are made of.
#include "actionclip/protocols/feature_heads.h"

#include <algorithm>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"
#include "actionclip/protocols/few_shot.h"
#include "actionclip/protocols/linear_probe.h"

#include "tests/parity/reference_files.h"
#include "tests/parity/run_python.h"
#include "tests/protocols/cached_features.h"
#include "tests/temporary_folder.h"
#include "tests/weights/small_model.h"

namespace actionclip {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kClasses = 4;

HeadExamples random_examples(std::int64_t count) {
  at::manual_seed(12);
  const auto label_ids = at::arange(count, at::kLong).remainder(kClasses);
  // Classes that overlap, so that a probe has an optimum away from infinity.
  const auto centres = at::randn({kClasses, 8});
  return {.embeddings = l2_normalize(centres.index_select(0, label_ids) + at::randn({count, 8})),
          .label_ids = label_ids,
          .classes = kClasses};
}

// Videos of separate classes, with other noise by seed.
CachedFeatures separable(std::int64_t videos, std::uint64_t seed) {
  auto features = random_features(videos, kClasses, seed);
  features.video_features *= 0.05;
  for (std::int64_t i = 0; i < videos; ++i) features.video_features[i][0][i % kClasses] += 1;
  return features;
}

TEST(FeatureHeads, ScoreAsInPython) {
  const TemporaryFolder folder;
  const auto examples = random_examples(60);
  const auto test = l2_normalize(at::randn({9, 8})), text = l2_normalize(at::randn({kClasses, 8}));
  write_weights(
      folder / "features.safetensors",
      {{"train", examples.embeddings}, {"test", test}, {"label_ids", examples.label_ids}, {"text", text}},
      {});
  run_python("feature_heads_reference.py", {folder.path().string(), "0.001", "1.5", "5.5"});
  const auto expected = read_tensors(folder / "heads.safetensors");
  const auto score = [&](const FeatureHead& head) { return head(test.unsqueeze(1)); };
  EXPECT_LT(relative_error(score(nearest_mean_head(examples)), expected.at("nearest_mean")), 1e-4);
  EXPECT_LT(relative_error(score(tip_adapter_head(examples, text, {.alpha = 1.5, .beta = 5.5})),
                           expected.at("tip_adapter")),
            1e-4);
  EXPECT_LT(relative_error(score(linear_probe_head(examples, 0.001)), expected.at("linear_probe")), 1e-3);
  const auto probe = fit_linear_probe(examples.embeddings, examples.label_ids, kClasses, {.l2 = 0.001});
  const double objective = expected.at("objective").item<double>();
  EXPECT_NEAR(probe.loss, objective, 1e-6 * objective);
}

TEST(FeatureHeads, ViewsAreAveragedAsProbabilities) {
  const auto examples = random_examples(20);
  const auto embeddings = l2_normalize(at::randn({3, 5, 8}));
  const auto head = nearest_mean_head(examples);
  const auto single = head(embeddings.flatten(0, 1).unsqueeze(1)).view({3, 5, kClasses}).mean(1);
  EXPECT_TRUE(at::allclose(head(embeddings), single, 1e-5, 1e-6));
}

TEST(FeatureHeads, AClassWithoutAnExampleIsNeverNearest) {
  auto examples = random_examples(20);
  examples.classes = kClasses + 1;
  const auto scores = nearest_mean_head(examples)(l2_normalize(at::randn({50, 1, 8})));
  EXPECT_TRUE(scores.isfinite().all().item<bool>());
  EXPECT_FALSE((scores.argmax(1) == kClasses).any().item<bool>());
}

TEST(LinearProbe, StartsAnywhereAndEndsAtTheSame) {
  const auto examples = random_examples(60);
  const auto fit = [&](double l2, const LinearProbe* start) {
    return fit_linear_probe(examples.embeddings, examples.label_ids, kClasses, {.l2 = l2}, start);
  };
  const auto strong = fit(0.1, nullptr), fresh = fit(0.01, nullptr), warm = fit(0.01, &strong);
  EXPECT_NEAR(warm.loss, fresh.loss, 1e-6);
  EXPECT_LT(strong.weight.norm().item<double>(), fresh.weight.norm().item<double>());
}

TEST(LinearProbe, NothingToLearnFromIsRefused) {
  const auto examples = random_examples(4);
  EXPECT_THROW(fit_linear_probe(at::zeros({0, 8}), at::zeros({0}, at::kLong), 2, {}), std::invalid_argument);
  EXPECT_THROW(fit_linear_probe(examples.embeddings, examples.label_ids, kClasses, {.l2 = 0}),
               std::invalid_argument);
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
    if (row.head == "tip_adapter") continue;  // its texts are at random
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
    if (row.head != "tip_adapter") EXPECT_EQ(row.accuracies[0].top1(), 90) << row.head;
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
  other.identity.origin["weights_sha256"] = "5";
  refused(other, test, "other weights");
  other = train;
  other.videos[1].label_ids = {};
  refused(other, test, "1.mp4 has 0 labels");
  refused(separable(12, 1), test, "10 shots need as many");
}

}  // namespace
}  // namespace actionclip
