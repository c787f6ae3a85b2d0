// Subsets of templates and ensembling ratios, against their definition in numbers.
#include "actionclip/protocols/ensemble_sweep.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"

#include "tests/protocols/cached_features.h"

namespace actionclip {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kVideos = 11, kClasses = 7;
using Row = std::vector<double>;

const std::vector<TemplateSubset> kSubsets = {{"all", {0, 1, 2}}, {"second", {1}}, {"outer", {0, 2}}};

Row values_of(const at::Tensor& tensor) {
  const auto doubles = tensor.to(at::kDouble).contiguous();
  return {doubles.const_data_ptr<double>(), doubles.const_data_ptr<double>() + doubles.numel()};
}

Row normalized(Row values) {
  const double norm = std::sqrt(std::inner_product(values.begin(), values.end(), values.begin(), 0.0));
  for (auto& value : values) value /= norm;
  return values;
}

// softmax over the classes of 100 * cosine.
Row probabilities(const Row& video, const std::vector<Row>& texts) {
  Row result;
  for (const auto& text : texts)
    result.push_back(std::exp(100 * (std::inner_product(video.begin(), video.end(), text.begin(), 0.0) - 1)));
  const double sum = std::accumulate(result.begin(), result.end(), 0.0);
  for (auto& value : result) value /= sum;
  return result;
}

void add_share(Row& sum, const Row& more, double share) {
  sum.resize(more.size());
  for (std::size_t i = 0; i < more.size(); ++i) sum[i] += share * more[i];
}

std::vector<Row> texts_of(const CachedFeatures& features, std::size_t prompt) {
  std::vector<Row> texts;
  for (std::int64_t c = 0; c < kClasses; ++c)
    texts.push_back(values_of(features.texts.embeddings[static_cast<std::int64_t>(prompt)][c]));
  return texts;
}

Row mean_of_softmax(const CachedFeatures& features, std::int64_t video, const TemplateSubset& subset) {
  Row sum;
  const auto views = features.identity.views;
  for (std::int64_t v = 0; v < views; ++v) {
    const auto embedding = normalized(values_of(features.video_features[video][v]));
    for (const auto prompt : subset.templates) {
      add_share(sum, probabilities(embedding, texts_of(features, prompt)),
                1.0 / static_cast<double>(views * std::ssize(subset.templates)));
    }
  }
  return sum;
}

Row mean_embedding_of(const CachedFeatures& features, std::int64_t video, const TemplateSubset& subset) {
  std::vector<Row> means(kClasses);
  for (std::int64_t c = 0; c < kClasses; ++c) {
    std::set<Row> seen;
    for (const auto prompt : subset.templates) {
      const auto index = static_cast<std::int64_t>(prompt);
      if (seen.insert(values_of(features.texts.tokens[index][c])).second)
        add_share(means[c], values_of(features.texts.embeddings[index][c]), 1);
    }
    means[c] = normalized(means[c]);
  }
  Row sum;
  const auto views = features.identity.views;
  for (std::int64_t v = 0; v < views; ++v) {
    add_share(sum, probabilities(normalized(values_of(features.video_features[video][v])), means),
              1.0 / static_cast<double>(views));
  }
  return sum;
}

// Top-1 and top-5 in percent.
std::pair<double, double> figures(const std::vector<Row>& scores, const std::set<std::int64_t>& failed) {
  double top1 = 0, top5 = 0;
  for (std::int64_t i = 0; i < kVideos; ++i) {
    if (failed.contains(i)) continue;
    const auto& row = scores[i];
    const auto better = std::ranges::count_if(row, [&](double score) { return score > row[i % kClasses]; });
    top1 += better == 0;
    top5 += better < 5;
  }
  return {100 * top1 / kVideos, 100 * top5 / kVideos};
}

Row mixed(const Row& a, const Row& b, double ratio) {
  Row sum;
  add_share(sum, a, 1 - ratio);
  add_share(sum, b, ratio);
  return sum;
}

TEST(SubsetScorer, ScoresAreThoseOfTheDefinition) {
  auto features = random_features(kVideos, kClasses, 1, /*views=*/3);
  features.texts.tokens[2][4] = features.texts.tokens[0][4];
  const SubsetScorer scorer(features, kSubsets);
  const auto softmaxes = scorer.score(2, 6, Ensemble::mean_of_softmax);
  const auto means = scorer.score(2, 6, Ensemble::mean_embedding);
  for (std::size_t s = 0; s < kSubsets.size(); ++s) {
    for (std::int64_t i = 2; i < 6; ++i) {
      const auto a = mean_of_softmax(features, i, kSubsets[s]),
                 b = mean_embedding_of(features, i, kSubsets[s]);
      for (std::int64_t c = 0; c < kClasses; ++c) {
        EXPECT_NEAR(softmaxes[s][i - 2][c].item<double>(), a[c], 1e-5);
        EXPECT_NEAR(means[s][i - 2][c].item<double>(), b[c], 1e-5);
      }
    }
  }
}

TEST(SubsetScorer, ATemplateStandsForAllItsPrompts) {
  auto features = random_features(kVideos, kClasses, 2);
  auto alone = features;
  // Two descriptions a label: each of the templates has two prompts, side by side.
  at::manual_seed(3);
  features.texts.embeddings = l2_normalize(at::randn({6, kClasses, 8}));
  features.texts.tokens = at::randint(0, 1000, {6, kClasses, 5}, at::kLong);
  alone.texts.templates = {"x", "y"};
  alone.texts.embeddings = features.texts.embeddings.slice(0, 2, 4);
  alone.texts.tokens = features.texts.tokens.slice(0, 2, 4);
  for (const auto ensemble : {Ensemble::mean_of_softmax, Ensemble::mean_embedding}) {
    const auto ours = SubsetScorer(features, {{"second", {1}}}).score(0, kVideos, ensemble)[0];
    const auto expected = SubsetScorer(alone, {{"all", {0, 1}}}).score(0, kVideos, ensemble)[0];
    EXPECT_TRUE(at::allclose(ours, expected, 1e-5, 1e-6));
  }
}

TEST(SweepEnsembles, RowsAreSubsetsTimesRatios) {
  auto features = random_features(kVideos, kClasses, 4, /*views=*/2);
  fail_video(features, 3);
  const std::vector<double> ratios = {0, 0.3, 1};
  const auto rows = sweep_ensembles(features, kSubsets, ratios);
  ASSERT_EQ(rows.size(), kSubsets.size() * ratios.size());
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const auto& subset = kSubsets[r / ratios.size()];
    std::vector<Row> scores;
    for (std::int64_t i = 0; i < kVideos; ++i) {
      scores.push_back(mixed(mean_of_softmax(features, i, subset), mean_embedding_of(features, i, subset),
                             ratios[r % ratios.size()]));
    }
    EXPECT_EQ(rows[r].subset, subset.name);
    EXPECT_EQ(rows[r].ratio, ratios[r % ratios.size()]);
    const auto [top1, top5] = figures(scores, {3});
    EXPECT_DOUBLE_EQ(rows[r].accuracy.top1(), top1);
    EXPECT_DOUBLE_EQ(rows[r].accuracy.top5(), top5);
    EXPECT_EQ(rows[r].accuracy.samples(), kVideos);
    EXPECT_EQ(rows[r].accuracy.failed(), 1);
  }
}

TEST(SweepEnsembles, WithThePretrainedModelTheRatioIsItsWeight) {
  const auto features = random_features(kVideos, kClasses, 5);
  auto pretrained = random_features(kVideos, kClasses, 6, /*views=*/2);
  fail_video(pretrained, 8);
  const auto rows = sweep_ensembles(features, {kSubsets[2]}, {0, 0.5, 1}, &pretrained);
  for (const auto& row : rows) {
    std::vector<Row> scores;
    for (std::int64_t i = 0; i < kVideos; ++i) {
      scores.push_back(mixed(mean_of_softmax(features, i, kSubsets[2]),
                             mean_of_softmax(pretrained, i, kSubsets[2]), row.ratio));
    }
    EXPECT_DOUBLE_EQ(row.accuracy.top1(), figures(scores, {8}).first) << row.ratio;
    EXPECT_EQ(row.accuracy.failed(), 1);
  }
}

TEST(SweepEnsembles, WhatDoesNotFitIsRefused) {
  const auto features = random_features(kVideos, kClasses, 7);
  const auto refused = [&](const CachedFeatures& swept, const CachedFeatures* pretrained,
                           const char* reason) {
    try {
      sweep_ensembles(swept, {{"first", {0}}}, {0.5}, pretrained);
      ADD_FAILURE() << "taken, though " << reason;
    } catch (const Error& problem) {
      EXPECT_THAT(problem.what(), HasSubstr(reason));
    }
  };
  auto other = features;
  other.texts = {};
  refused(other, nullptr, "no features of texts");
  other = features;
  other.videos[4].label_ids = {1, 2};
  refused(other, nullptr, "4.mp4 has 2 labels");
  other = features;
  other.videos[4].path = "another.mp4";
  refused(features, &other, "other videos");
  other = features;
  other.labels[0] = "another";
  refused(features, &other, "other labels");
  other = features;
  other.texts.templates[0] = "another {}";
  refused(features, &other, "other templates");
}

TEST(TopAccuracy, OfFewClassesOrNoVideos) {
  TopAccuracy accuracy;
  EXPECT_EQ(accuracy.top1(), 0);
  const std::vector<float> scores = {0.2F, 0.5F, 0.3F}, undefined = {0.2F, NAN, 0.3F};
  accuracy.add(scores, 0);
  accuracy.add(scores, 1);
  accuracy.add(undefined, 1);
  accuracy.add_failed();
  EXPECT_EQ(accuracy.top1(), 25);
  EXPECT_EQ(accuracy.top5(), 50);
  EXPECT_EQ(accuracy.failed(), 1);
}

}  // namespace
}  // namespace actionclip
