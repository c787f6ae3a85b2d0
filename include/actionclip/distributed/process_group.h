// The ranks that train together, as the training step sees them. A group of one rank needs no back end: its
// collectives are identities, so one step serves one process and many.
#pragma once

#include <ATen/core/Tensor.h>

namespace actionclip {

class ProcessGroup {
 public:
  virtual ~ProcessGroup() = default;

  virtual int rank() const = 0;
  virtual int world_size() const = 0;

  // Rows of all ranks in rank order, [N, ...] -> [world_size * N, ...]. Gradients flow back to the rows of
  // this rank.
  virtual at::Tensor gather(const at::Tensor& rows) = 0;

  // Adds up `values` over the ranks, in place.
  virtual void all_reduce_sum(at::Tensor& values) = 0;
};

// One rank alone.
class SingleProcess : public ProcessGroup {
 public:
  int rank() const override { return 0; }
  int world_size() const override { return 1; }
  at::Tensor gather(const at::Tensor& rows) override { return rows; }
  void all_reduce_sum(at::Tensor& /*values*/) override {}
};

}  // namespace actionclip
