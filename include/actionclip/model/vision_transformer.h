// CLIP's image encoder, ViT family, and what ActionCLIP's visual prompts change inside it.
#pragma once

#include <string>

#include <ATen/core/Tensor.h>
#include <torch/nn/cloneable.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/normalization.h>
#include <torch/nn/pimpl.h>

#include "actionclip/model/config.h"
#include "actionclip/model/image_encoder.h"
#include "actionclip/model/transformer.h"

namespace actionclip {

// Visual prompts (ActionCLIP, section 3.2): with temporal_shift the patch tokens move along time before every
// block; with joint_frames the patches of all frames of a video are one sequence behind one class token, each
// frame's with a learned position in time added to those in space. In training (conv1's, for embeddings that
// are frozen), embedding_dropout sets values of the embedded tokens to zero, and drop_path leaves out
// branches of whole sequences (transformer.h).
class VisionTransformerImpl : public ImageEncoder {
 public:
  explicit VisionTransformerImpl(const VisionConfig& config);

  // At most joint_frames frames, if that is not 0: fewer have the first positions in time.
  at::Tensor forward(const at::Tensor& images, std::int64_t frames) override;

  // Attention roll-out (attention_rollout.h) from the class tokens of the T frames together, or the one of a
  // joint encoder.
  at::Tensor attention_maps(const at::Tensor& images, std::int64_t frames) override;
  std::string attention_method() const override { return "attention roll-out"; }

  torch::nn::Conv2d conv1{nullptr};  // patch embedding, no bias
  at::Tensor class_embedding;        // [width]
  at::Tensor positional_embedding;   // [1 + patches, width]
  at::Tensor time_embedding;         // [joint_frames, width]; undefined if that is 0
  torch::nn::LayerNorm ln_pre{nullptr};
  Transformer transformer{nullptr};
  torch::nn::LayerNorm ln_post{nullptr};
  at::Tensor proj;  // [width, output_dim]

 private:
  void require_fitting(const at::Tensor& images, std::int64_t frames) const;
  at::Tensor embed_patches(const at::Tensor& images);  // [N, 3, H, W] -> [N, patches, width]
  at::Tensor embed_apart(const at::Tensor& patches);   // -> [B T, 1 + patches, width]
  at::Tensor embed_jointly(const at::Tensor& patches, std::int64_t frames);  // -> [B, 1 + T patches, width]
  at::Tensor embed(const at::Tensor& images, std::int64_t frames);           // either of them
  TokenMove move_before_blocks(std::int64_t frames) const;                   // null where nothing moves

  VisionConfig config_;
};
TORCH_MODULE(VisionTransformer);

}  // namespace actionclip
