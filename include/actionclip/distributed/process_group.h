// The ranks that train together, as the training step sees them. A group of one rank needs no back end: its
// collectives are identities, so one step serves one process and many.
//
// The loss of a rank is the mean over its own rows of a batch, against the columns of all ranks that gather()
// brought together. The batch's loss is the mean of the ranks' losses. gather() hands back to a rank the
// gradient of its rows summed over the ranks, so that the mean of the parameters' gradients over the ranks is
// the gradient of the batch's loss: for the towers, whose features other ranks see, and for logit_scale
// alike.
//
// Every rank makes the same calls in the same order. A collective that fails, or that waits for longer than
// distributed.collective_timeout, throws CollectiveError.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "actionclip/core/error.h"

namespace actionclip {

// The ranks have lost each other. The message says which rank found that in which step and collective, and
// which ranks no longer answer. What is left of the group may wait for ever for the others: end the process
// without destroying it (std::_Exit).
class CollectiveError : public Error {
 public:
  using Error::Error;
};

// Takes gradients to their mean over the ranks, while the backward pass goes on.
class GradientReducer {
 public:
  virtual ~GradientReducer() = default;

  // Backward pass of one part of a step: adds to the gradients. After the `last` part every gradient is the
  // mean over the ranks of what they summed up.
  virtual void backward(const at::Tensor& loss, bool last) = 0;
};

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

  // Gives every rank the values of rank 0, in place.
  virtual void broadcast(at::TensorList tensors) = 0;

  // The texts of all ranks, in rank order.
  virtual std::vector<std::string> gather_texts(const std::string& text) = 0;

  // For the gradients of `parameters`, which every backward pass must reach. It must not outlive the group.
  virtual std::unique_ptr<GradientReducer> make_reducer(const std::vector<at::Tensor>& parameters) = 0;

  // What the messages of failing collectives say they were in; "step 12".
  virtual void enter(const std::string& /*phase*/) {}

  // How long this rank has stood still in collectives since the group was made, for the network or for slower
  // ranks. What the backward pass hides of the reduction of gradients does not count.
  virtual double communication_seconds() { return 0; }
};

// The sum of a number over the ranks.
double sum_over_ranks(double value, ProcessGroup& group);

// One rank alone.
class SingleProcess : public ProcessGroup {
 public:
  int rank() const override { return 0; }
  int world_size() const override { return 1; }
  at::Tensor gather(const at::Tensor& rows) override { return rows; }
  void all_reduce_sum(at::Tensor& /*values*/) override {}
  void broadcast(at::TensorList /*tensors*/) override {}
  std::vector<std::string> gather_texts(const std::string& text) override { return {text}; }
  std::unique_ptr<GradientReducer> make_reducer(const std::vector<at::Tensor>& parameters) override;
};

}  // namespace actionclip
