// Classification heads on frozen features: what they score without training the model.
//
// A head takes embeddings [B, V, D] (normalised features) to probabilities [B, C], the mean over the views of
// those of each.
#pragma once

#include <cstdint>
#include <functional>

#include <ATen/core/Tensor.h>

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

}  // namespace actionclip
