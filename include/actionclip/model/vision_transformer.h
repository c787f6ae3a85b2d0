// CLIP's image encoder, ViT family. Parameters carry CLIP's names (below `visual.`).
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/normalization.h>
#include <torch/nn/pimpl.h>

#include "actionclip/model/config.h"
#include "actionclip/model/transformer.h"

namespace actionclip {

class VisionTransformerImpl : public torch::nn::Module {
 public:
  explicit VisionTransformerImpl(const VisionTransformerConfig& config);

  // images [N, 3, image_size, image_size], normalised -> features [N, output_dim].
  at::Tensor forward(const at::Tensor& images);

  torch::nn::Conv2d conv1{nullptr};  // patch embedding, no bias
  at::Tensor class_embedding;        // [width]
  at::Tensor positional_embedding;   // [1 + patches, width]
  torch::nn::LayerNorm ln_pre{nullptr};
  Transformer transformer{nullptr};
  torch::nn::LayerNorm ln_post{nullptr};
  at::Tensor proj;  // [width, output_dim]

 private:
  at::Tensor embed_patches(const at::Tensor& images);  // [N, 3, H, W] -> [N, patches, width]

  VisionTransformerConfig config_;
};
TORCH_MODULE(VisionTransformer);

}  // namespace actionclip
