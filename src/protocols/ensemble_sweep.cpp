#include "actionclip/protocols/ensemble_sweep.h"

#include <algorithm>
#include <cstddef>
#include <optional>

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include "actionclip/core/error.h"
#include "actionclip/core/progress.h"
#include "actionclip/eval/metrics.h"
#include "actionclip/eval/similarity.h"

namespace actionclip {
namespace {

constexpr std::int64_t kTopK = 5;

double percent(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0 : 100 * static_cast<double>(part) / static_cast<double>(whole);
}

// The prompts of some templates, each of which stands for as many, side by side.
at::Tensor prompts_of(const TemplateSubset& subset, const CachedTexts& texts) {
  const auto a_template = texts.embeddings.size(0) / std::ssize(texts.templates);
  std::vector<std::int64_t> prompts;
  for (const auto index : subset.templates) {
    for (std::int64_t i = 0; i < a_template; ++i)
      prompts.push_back(static_cast<std::int64_t>(index) * a_template + i);
  }
  return at::tensor(prompts, at::kLong);
}

void require_same_videos(const CachedFeatures& features, const CachedFeatures& pretrained) {
  const auto refuse = [&](const char* what) {
    throw Error(fmt::format("{} and {} hold other {}: encode both with the same list, labels and templates",
                            features.folder.string(), pretrained.folder.string(), what));
  };
  if (!std::ranges::equal(features.videos, pretrained.videos, {}, &ScoredVideo::path, &ScoredVideo::path))
    refuse("videos");
  if (features.labels != pretrained.labels) refuse("labels");
  if (features.texts.templates != pretrained.texts.templates) refuse("templates");
}

// Probabilities of a block of videos -> the counts of every subset and ratio.
class BlockCounter {
 public:
  BlockCounter(const CachedFeatures& features, const CachedFeatures* pretrained,
               const std::vector<double>& ratios)
      : features_(features),
        pretrained_(pretrained),
        ratios_(ratios),
        labels_(single_labels(features, "a sweep of templates")) {}

  // a, b [B, C] of a subset, of the videos from `begin` on; rows: a row for each ratio.
  void count(std::int64_t begin, const at::Tensor& a, const at::Tensor& b, std::span<SweepRow> rows) const {
    for (std::size_t i = 0; i < ratios_.size(); ++i) {
      const double ratio = ratios_[i];
      // The ends as they are: 0 * b would add b's NaN.
      const auto mixed = ratio == 0 ? a : ratio == 1 ? b : (1 - ratio) * a + ratio * b;
      add(begin, mixed.contiguous(), rows[i].accuracy);
    }
  }

 private:
  bool failed(std::int64_t video) const {
    const auto index = static_cast<std::size_t>(video);
    return !features_.videos[index].failure.empty() ||
           (pretrained_ != nullptr && !pretrained_->videos[index].failure.empty());
  }

  void add(std::int64_t begin, const at::Tensor& scores, TopAccuracy& accuracy) const {
    const auto classes = static_cast<std::size_t>(scores.size(1));
    const std::span<const float> values(scores.const_data_ptr<float>(),
                                        static_cast<std::size_t>(scores.numel()));
    const auto* labels = labels_.const_data_ptr<std::int64_t>() + begin;
    for (std::int64_t row = 0; row < scores.size(0); ++row) {
      if (failed(begin + row)) {
        accuracy.add_failed();
      } else {
        accuracy.add(values.subspan(static_cast<std::size_t>(row) * classes, classes), labels[row]);
      }
    }
  }

  const CachedFeatures& features_;
  const CachedFeatures* pretrained_;
  const std::vector<double>& ratios_;
  const at::Tensor labels_;
};

}  // namespace

void TopAccuracy::add(std::span<const float> scores, std::int64_t label_id) {
  const auto rank = rank_of_label(scores, label_id);
  ++samples_;
  top1_ += rank == 0;
  top5_ += rank < std::min<std::int64_t>(kTopK, std::ssize(scores));
}

double TopAccuracy::top1() const { return percent(top1_, samples_); }
double TopAccuracy::top5() const { return percent(top5_, samples_); }

SubsetScorer::SubsetScorer(const CachedFeatures& features, const std::vector<TemplateSubset>& subsets)
    : features_(features) {
  const at::NoGradGuard no_grad;
  const auto& texts = features.texts;
  if (texts.empty()) {
    throw Error(
        fmt::format("{}: has no features of texts: they are of a model that ends in a linear classifier",
                    features.folder.string()));
  }
  std::vector<at::Tensor> means;
  for (const auto& subset : subsets) {
    const auto prompts = prompts_of(subset, texts);
    means.push_back(
        mean_embedding(texts.embeddings.index_select(0, prompts), texts.tokens.index_select(0, prompts)));
    prompts_.push_back(prompts.size(0) == texts.embeddings.size(0) ? at::Tensor() : prompts);
  }
  means_ = at::cat(means);
}

std::vector<at::Tensor> SubsetScorer::score(std::int64_t begin, std::int64_t end, Ensemble ensemble) const {
  const at::NoGradGuard no_grad;
  const auto video_features = features_.video_features.slice(0, begin, end);
  return ensemble == Ensemble::mean_of_softmax ? mean_of_softmax(video_features)
                                               : of_mean_embedding(video_features);
}

std::vector<at::Tensor> SubsetScorer::mean_of_softmax(const at::Tensor& video_features) const {
  const auto probabilities =
      at::softmax(kTestLogitScale * cosine_similarities(video_features, features_.texts.embeddings), -1);
  std::vector<at::Tensor> scores;
  for (const auto& prompts : prompts_)
    scores.push_back(
        (prompts.defined() ? probabilities.index_select(2, prompts) : probabilities).mean({1, 2}));
  return scores;
}

std::vector<at::Tensor> SubsetScorer::of_mean_embedding(const at::Tensor& video_features) const {
  return at::softmax(kTestLogitScale * cosine_similarities(video_features, means_), -1).mean(1).unbind(1);
}

std::vector<SweepRow> sweep_ensembles(const CachedFeatures& features,
                                      const std::vector<TemplateSubset>& subsets,
                                      const std::vector<double>& ratios, const CachedFeatures* pretrained) {
  const SubsetScorer scorer(features, subsets);
  std::optional<SubsetScorer> other;
  if (pretrained != nullptr) {
    other.emplace(*pretrained, subsets);
    require_same_videos(features, *pretrained);
  }
  std::vector<SweepRow> rows;
  for (const auto& subset : subsets) {
    for (const double ratio : ratios) rows.push_back({.subset = subset.name, .ratio = ratio, .accuracy = {}});
  }
  const BlockCounter counter(features, pretrained, ratios);
  const auto videos = features.identity.videos;
  ProgressBar bar("sweep", videos, "videos");
  for (std::int64_t begin = 0; begin < videos; begin += features.identity.batch_videos) {
    const auto end = std::min(begin + features.identity.batch_videos, videos);
    const auto a = scorer.score(begin, end, Ensemble::mean_of_softmax);
    const auto b = other ? other->score(begin, end, Ensemble::mean_of_softmax)
                         : scorer.score(begin, end, Ensemble::mean_embedding);
    for (std::size_t s = 0; s < subsets.size(); ++s)
      counter.count(begin, a[s], b[s], std::span(rows).subspan(s * ratios.size(), ratios.size()));
    bar.advance(end - begin);
  }
  return rows;
}

}  // namespace actionclip
