// Template subsets x ensembling ratios, scored on cached features.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "actionclip/eval/config.h"
#include "actionclip/protocols/feature_cache.h"
#include "actionclip/protocols/template_subsets.h"

namespace actionclip {

// Top-1 and top-5 accuracy, as ClassificationMetrics counts it, without classes and confusion.
class TopAccuracy {
 public:
  void add(std::span<const float> scores, std::int64_t label_id);
  void add_failed() { ++samples_, ++failed_; }  // a wrong answer

  double top1() const;  // percent
  double top5() const;
  std::int64_t samples() const { return samples_; }
  std::int64_t failed() const { return failed_; }

 private:
  std::int64_t samples_ = 0, failed_ = 0, top1_ = 0, top5_ = 0;
};

// Probabilities of cached videos under some of the templates.
class SubsetScorer {
 public:
  // `features` must outlive it. Throws Error if they have no texts.
  SubsetScorer(const CachedFeatures& features, const std::vector<TemplateSubset>& subsets);

  // A [B, C] for each subset, of the videos [begin, end): what Classifier::classify() calls probabilities, of
  // the ensemble, where the subset's templates were all. Of all templates, and mean_of_softmax, bit for bit,
  // where the B videos were one batch of the classifier on the same kind of CPU.
  std::vector<at::Tensor> score(std::int64_t begin, std::int64_t end, Ensemble ensemble) const;

 private:
  std::vector<at::Tensor> mean_of_softmax(const at::Tensor& video_features) const;
  std::vector<at::Tensor> of_mean_embedding(const at::Tensor& video_features) const;

  const CachedFeatures& features_;
  std::vector<at::Tensor> prompts_;  // indices of each subset; undefined: all
  at::Tensor means_;                 // [S, C, D]: mean embeddings of the S subsets
};

struct SweepRow {
  std::string subset;
  double ratio = 0;
  TopAccuracy accuracy;
};

// The scores are (1 - ratio) * a + ratio * b. a: mean_of_softmax of the features' templates in the subset. b:
// without `pretrained`, their mean_embedding, so that ratios 0 and 1 are what eval.ensemble offers; with it,
// mean_of_softmax of that model's own features of the same videos (an ensemble of outputs, where `actionclip
// interpolate` mixes weights: ratio is pretrained_weight in both). Failed videos, of either, count as wrong.
// Rows: the ratios of the first subset, of the second ... Throws Error if the features have no texts, videos
// have several labels, or `pretrained` is of other videos, labels or templates.
std::vector<SweepRow> sweep_ensembles(const CachedFeatures& features,
                                      const std::vector<TemplateSubset>& subsets,
                                      const std::vector<double>& ratios,
                                      const CachedFeatures* pretrained = nullptr);

}  // namespace actionclip
