// Stochastic depth (Huang et al. 2016), "drop path" in ViT's code: in training, residual branches are left
// out at random.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace actionclip {

// The rate of block `index` of `blocks`: from 0 at the first in equal steps to `of_last` at the last. A
// single block counts as the first.
double drop_path_rate(double of_last, std::int64_t index, std::int64_t blocks);

// branch [N, ...] with each of its N samples set to zero with probability `rate` (less than 1), and scaled by
// 1 / (1 - rate) otherwise, so that the expectation stays. Draws from the default generator of its device.
at::Tensor drop_path(const at::Tensor& branch, double rate);

}  // namespace actionclip
