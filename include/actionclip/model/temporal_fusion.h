// Temporal fusion heads: T frame features -> one video feature (ActionCLIP, section 3.2, "post-network
// prompt").
#pragma once

#include <memory>

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include "actionclip/model/config.h"

namespace actionclip {

class TemporalFusion : public torch::nn::Module {
 public:
  // frame_features [B, T, D] -> video features [B, D].
  virtual at::Tensor forward(const at::Tensor& frame_features) = 0;
};

std::shared_ptr<TemporalFusion> make_temporal_fusion(const TemporalFusionConfig& config);

}  // namespace actionclip
