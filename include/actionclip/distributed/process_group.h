// The ranks that train together, as the training step sees them. A group of one rank needs no back end: its
// collectives are identities, so one step serves one process and many.
//
// A rank computes the loss of the whole batch from the gathered features, of which only its own rows depend
// on its parameters. gather() therefore hands back to a rank the gradient of its rows summed over the ranks,
// and the mean of the parameters' gradients over the ranks is the gradient of that loss: for the towers,
// whose gradients differ, and for logit_scale, where each rank has the whole.
//
// Every rank makes the same calls in the same order. Tensors may lie on any device: a back end that needs
// another moves them.
#pragma once

#include <ATen/core/Tensor.h>

namespace actionclip {

class ProcessGroup {
 public:
  virtual ~ProcessGroup() = default;

  virtual int rank() const = 0;
  virtual int world_size() const = 0;

  // Rows of all ranks in rank order, [N, ...] -> [world_size * N, ...]. The gradient of this rank's rows is
  // the sum of those that all ranks have for them.
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
