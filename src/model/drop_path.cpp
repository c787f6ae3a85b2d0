#include "drop_path.h"

#include <algorithm>
#include <vector>

#include <ATen/ops/empty.h>

namespace actionclip {

double drop_path_rate(double of_last, std::int64_t index, std::int64_t blocks) {
  return of_last * static_cast<double>(index) / static_cast<double>(std::max<std::int64_t>(1, blocks - 1));
}

at::Tensor drop_path(const at::Tensor& branch, double rate) {
  std::vector<std::int64_t> one_a_sample(static_cast<std::size_t>(branch.dim()), 1);
  one_a_sample[0] = branch.size(0);
  // fp32 under autocast too, where 1 / (1 - rate) would be rounded otherwise.
  auto factors = at::empty(one_a_sample, branch.options().dtype(at::kFloat));
  factors.bernoulli_(1 - rate).div_(1 - rate);
  return branch.mul(factors);
}

}  // namespace actionclip
