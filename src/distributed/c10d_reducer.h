// GradientReducer on c10d::Reducer, the engine of torch's DistributedDataParallel.
#pragma once

#include <memory>
#include <vector>

#include <torch/csrc/distributed/c10d/reducer.hpp>

#include "c10d_group.h"

namespace actionclip {

class C10dReducer : public GradientReducer {
 public:
  C10dReducer(C10dGroup& group, std::vector<at::Tensor> parameters, const DistributedConfig& config);

  void backward(const at::Tensor& loss, bool last) override;

 private:
  void make_buckets(const at::Tensor& loss);

  C10dGroup& group_;
  const std::vector<at::Tensor> parameters_;
  const DistributedConfig config_;
  std::unique_ptr<c10d::Reducer> reducer_;  // from the first backward pass on
};

}  // namespace actionclip
