// CLIP's image encoder, ResNet family: a stem of three convolutions, average pooling in place of strides, and
// attention in place of the last pooling. Source: Radford et al. 2021, section 2.4.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <torch/nn/cloneable.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/pimpl.h>

#include "actionclip/model/config.h"
#include "actionclip/model/image_encoder.h"

namespace actionclip {

// A convolution without bias and the batch normalisation behind it, children of another module.
//
// In training the layer normalises by the statistics of its batch and gathers the running ones (momentum
// 0.1), which it uses otherwise: as CLIP is fine-tuned. A layer that does not learn (its weight needs no
// gradient) is left as it is, and uses the running ones in training too. Every rank has the statistics of its
// own part of the batch; the running ones are rank 0's.
struct NormalizedConvolution {
  // x [N, C, H, W]. Throws Error where the batch's statistics would be those of one value.
  at::Tensor operator()(const at::Tensor& x);

  torch::nn::Conv2d convolution{nullptr};
  torch::nn::BatchNorm2d norm{nullptr};
};

// 1x1, 3x3 and 1x1 convolutions (to `planes`, `planes` and 4 `planes` channels) beside a shortcut.
class BottleneckImpl : public torch::nn::Module {
 public:
  // stride 1, or 2: halves height and width.
  BottleneckImpl(std::int64_t inputs, std::int64_t planes, std::int64_t stride);
  at::Tensor forward(const at::Tensor& x);

 private:
  std::int64_t stride_;
  NormalizedConvolution first_, second_, third_;
  NormalizedConvolution shortcut_;  // where input and output differ in shape
};
TORCH_MODULE(Bottleneck);

// Attention of the mean over all places to them and itself: [N, width, H, W] -> [N, output_dim].
class AttentionPoolImpl : public torch::nn::Module {
 public:
  AttentionPoolImpl(std::int64_t grid, std::int64_t width, std::int64_t heads, std::int64_t output_dim);
  at::Tensor forward(const at::Tensor& x);

  // What the mean attends to: [N, heads, 1, 1 + H W], itself first; each row sums to 1.
  at::Tensor weights(const at::Tensor& x);

  at::Tensor positional_embedding;  // [1 + grid grid, width], the mean first
  torch::nn::Linear q_proj{nullptr}, k_proj{nullptr}, v_proj{nullptr}, c_proj{nullptr};

 private:
  at::Tensor tokens(const at::Tensor& x) const;  // [N, width, H, W] -> [N, 1 + H W, width], the mean first
  at::Tensor split_heads(const at::Tensor& x) const;  // [N, L, width] -> [N, heads, L, width / heads]

  std::int64_t heads_;
};
TORCH_MODULE(AttentionPool);

// Activation checkpointing does nothing here: it is of transformers.
class ModifiedResNetImpl : public ImageEncoder {
 public:
  explicit ModifiedResNetImpl(const VisionConfig& config);
  at::Tensor forward(const at::Tensor& images, std::int64_t frames) override;

  // The weights of the attention pool, the mean over its heads; what the mean over all places gives itself is
  // left out.
  at::Tensor attention_maps(const at::Tensor& images, std::int64_t frames) override;
  std::string attention_method() const override { return "weights of the attention pool"; }

 private:
  at::Tensor places(const at::Tensor& images);  // what the attention pool gets: [N, channels, G, G]

  // Stage `number`, of which the first block goes from `inputs` to 4 `planes` channels.
  void add_stage(int number, std::int64_t inputs, std::int64_t planes, std::int64_t blocks);

  const std::int64_t image_size_;
  NormalizedConvolution first_, second_, third_;  // the stem
  std::vector<Bottleneck> blocks_;                // of all stages
  AttentionPool attnpool_{nullptr};
};
TORCH_MODULE(ModifiedResNet);

}  // namespace actionclip
