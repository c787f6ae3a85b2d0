// Classification heads on frozen features: what they score without training the model.
//
// A head takes embeddings [B, V, D] (normalised features) to probabilities [B, C], the mean over the views of
// those of each.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "actionclip/protocols/ensemble_sweep.h"
#include "actionclip/protocols/feature_cache.h"

namespace actionclip {

using FeatureHead = std::function<at::Tensor(const at::Tensor& embeddings)>;

// What a head is made of: M embeddings, each view of a training clip for itself.
struct HeadExamples {
  at::Tensor embeddings;  // [M, D]
  at::Tensor label_ids;   // [M] int64
  std::int64_t classes = 0;
};

// Nearest class mean: softmax(100 * cosine) with the mean of a class's embeddings (Snell et al. 2017 with the
// cosine). A class without an example is never chosen.
FeatureHead nearest_mean_head(const HeadExamples& examples);

// Tip-Adapter without training (Zhang et al. 2022): softmax(100 * x·t + alpha * sum of exp(-beta (1 - x·k))
// over a class's examples k), t [C, D] the text embedding of each class.
struct TipAdapterOptions {
  double alpha = 1;   // the examples' share beside the texts'
  double beta = 5.5;  // how fast it falls with the distance
};
FeatureHead tip_adapter_head(const HeadExamples& examples, const at::Tensor& text_embeddings,
                             const TipAdapterOptions& options);

// Multinomial logistic regression (linear_probe.h).
FeatureHead linear_probe_head(const HeadExamples& examples, double l2);

struct HeadSweepOptions {
  std::vector<std::int64_t> shots = {1, 2, 4, 8, 16};  // K clips a class
  std::vector<std::int64_t> seeds = {1, 2, 3};
  std::vector<double> l2 = {1e-6, 1e-5, 1e-4, 1e-3, 1e-2};
  TipAdapterOptions tip;
};

// One head, over the seeds where there are any.
struct HeadRow {
  std::string head;                     // "linear_probe", "nearest_mean", "tip_adapter"
  std::int64_t shots = 0;               // K; 0: all training clips
  double l2 = 0;                        // of a linear probe
  std::vector<TopAccuracy> accuracies;  // by seed
};

// Linear probes on all of `train`, then for each K nearest means, Tip-Adapter (where there are texts) and
// linear probes on the clips that choose_shots() draws, as `actionclip few-shot` does. Scored on `test`,
// where failed videos count as wrong. Training clips that failed are left out, with a warning. Throws Error
// if the two are of other labels or weights, videos have several labels, or a class has fewer than K clips.
std::vector<HeadRow> sweep_heads(const CachedFeatures& train, const CachedFeatures& test,
                                 const HeadSweepOptions& options);

}  // namespace actionclip
