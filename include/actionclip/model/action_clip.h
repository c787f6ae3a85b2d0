// ActionClip: CLIP's two towers and a temporal fusion head (Wang, Xing, Liu 2021).
// State dict: CLIP's names (`visual.*`, `transformer.*`, `token_embedding.weight`, ..., `logit_scale`), the
// head's below `fusion.`.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>
#include <torch/ordered_dict.h>

#include "actionclip/model/config.h"
#include "actionclip/model/temporal_fusion.h"
#include "actionclip/model/text_transformer.h"
#include "actionclip/model/vision_transformer.h"

namespace actionclip {

// The parts that are initialised, frozen and given learning rates apart.
enum class ModelPart { image, text, fusion };

// The part that a parameter name belongs to; `logit_scale` counts as text, as in the method's parameter
// groups.
ModelPart part_of(std::string_view parameter_name);

class ActionClipImpl : public torch::nn::Module {
 public:
  explicit ActionClipImpl(const ActionClipConfig& config);

  // clips [B, T, 3, S, S]: uint8 (0 to 255; scaled and normalised here, on the model's device) or already
  // normalised floats
  // -> video features [B, D], not normalised.
  at::Tensor encode_video(const at::Tensor& clips);

  // The frame features before fusion: [B, T, D]. With T = 1 this is CLIP's image encoder.
  at::Tensor encode_frames(const at::Tensor& clips);

  // tokens [N, L] int64, on the CPU or the model's device -> text features [N, D], not normalised.
  at::Tensor encode_text(const at::Tensor& tokens);

  // Turns gradients of a part on or off.
  void set_trainable(ModelPart part, bool trainable);

  at::Device device() const;
  const ActionClipConfig& config() const { return config_; }

  VisionTransformer visual{nullptr};
  std::shared_ptr<TemporalFusion> fusion;
  TextTransformer text{nullptr};  // its children are registered at the top level, where CLIP has them
  at::Tensor logit_scale;         // scalar, natural logarithm

 private:
  at::Tensor normalize(const at::Tensor& images) const;  // uint8 [N, 3, S, S] -> float

  ActionClipConfig config_;
  at::Tensor mean_;  // buffers that are not part of the state dict
  at::Tensor std_;
};
TORCH_MODULE(ActionClip);

// x / ||x|| over the last dimension, computed in fp32.
at::Tensor l2_normalize(const at::Tensor& features);

}  // namespace actionclip
