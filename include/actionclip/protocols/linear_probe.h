// Linear probe: multinomial logistic regression on frozen features (Radford et al. 2021, section 3.2).
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace actionclip {

struct LinearProbe {
  at::Tensor weight;  // [C, D] fp32
  at::Tensor bias;    // [C]
  double loss = 0;    // the objective at its end

  at::Tensor logits(const at::Tensor& embeddings) const;  // [..., D] -> [..., C]
};

struct LinearProbeOptions {
  double l2 = 1e-4;  // scikit-learn's C is 1 / (l2 * M)
  std::int64_t max_iterations = 500;
};

// Minimises, by L-BFGS, the mean cross-entropy of M embeddings [M, D] with label_ids [M] in [0, classes) plus
// l2 / 2 * ||weight||²; the bias is free, as in scikit-learn. Starts at zero, or at `start`: the optimum is
// the same. Throws std::invalid_argument for no embeddings or an l2 that is not positive.
LinearProbe fit_linear_probe(const at::Tensor& embeddings, const at::Tensor& label_ids, std::int64_t classes,
                             const LinearProbeOptions& options, const LinearProbe* start = nullptr);

}  // namespace actionclip
