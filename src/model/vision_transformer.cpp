#include "actionclip/model/vision_transformer.h"

#include <cmath>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>

#include "attention_rollout.h"
#include "temporal_shift.h"

namespace actionclip {

VisionTransformerImpl::VisionTransformerImpl(const VisionConfig& config) : config_(config) {
  const std::int64_t width = config.width, patch = config.patch_size;
  const std::int64_t grid = config.image_size / patch;
  const double scale = 1 / std::sqrt(static_cast<double>(width));
  conv1 = register_module(
      "conv1", torch::nn::Conv2d(torch::nn::Conv2dOptions(3, width, patch).stride(patch).bias(false)));
  class_embedding = register_parameter("class_embedding", at::randn({width}) * scale);
  positional_embedding =
      register_parameter("positional_embedding", at::randn({grid * grid + 1, width}) * scale);
  if (config.joint_frames > 0) {
    time_embedding = register_parameter("time_embedding", at::randn({config.joint_frames, width}) * scale);
  }
  ln_pre = register_module("ln_pre", torch::nn::LayerNorm(torch::nn::LayerNormOptions({width})));
  transformer =
      register_module("transformer", Transformer(TransformerOptions{.width = width,
                                                                    .layers = config.layers,
                                                                    .heads = config.heads,
                                                                    .mlp_width = config.mlp_width,
                                                                    .activation = config.activation,
                                                                    .layer_scale = config.layer_scale,
                                                                    .drop_path = config.drop_path}));
  ln_post = register_module("ln_post", torch::nn::LayerNorm(torch::nn::LayerNormOptions({width})));
  proj = register_parameter("proj", at::randn({width, config.output_dim}) * scale);
}

void VisionTransformerImpl::require_fitting(const at::Tensor& images, std::int64_t frames) const {
  TORCH_CHECK(images.dim() == 4 && images.size(1) == 3 && images.size(2) == config_.image_size &&
                  images.size(3) == config_.image_size,
              "images of shape ", images.sizes(), " given, [N, 3, ", config_.image_size, ", ",
              config_.image_size, "] needed");
  TORCH_CHECK(frames > 0 && images.size(0) % frames == 0, images.size(0),
              " images given, not those of videos of ", frames, " frames");
  TORCH_CHECK(config_.joint_frames == 0 || frames <= config_.joint_frames,
              "the joint image encoder takes up to ", config_.joint_frames, " frames, ", frames, " given");
}

// The strided convolution written as one matrix product, which is faster than the convolution kernels (CPU:
// 2-3x).
at::Tensor VisionTransformerImpl::embed_patches(const at::Tensor& images) {
  const std::int64_t patch = config_.patch_size;
  const std::int64_t rows = images.size(2) / patch, columns = images.size(3) / patch;
  const auto patches = images.view({images.size(0), 3, rows, patch, columns, patch})
                           .permute({0, 2, 4, 1, 3, 5})
                           .reshape({images.size(0), rows * columns, 3 * patch * patch});
  return at::linear(patches, conv1->weight.view({config_.width, -1}));
}

at::Tensor VisionTransformerImpl::embed_apart(const at::Tensor& patches) {
  const auto class_token = class_embedding.to(patches.scalar_type()).expand({patches.size(0), 1, -1});
  return at::cat({class_token, patches}, 1) + positional_embedding;
}

at::Tensor VisionTransformerImpl::embed_jointly(const at::Tensor& patches, std::int64_t frames) {
  const std::int64_t count = patches.size(1), width = config_.width;
  const auto in_space = patches + positional_embedding.narrow(0, 1, count);
  const auto in_time = in_space.view({-1, frames, count, width}) +
                       time_embedding.narrow(0, 0, frames).view({frames, 1, width});
  const auto class_token = class_embedding + positional_embedding.select(0, 0);
  return at::cat({class_token.expand({in_time.size(0), 1, -1}), in_time.flatten(1, 2)}, 1);
}

at::Tensor VisionTransformerImpl::embed(const at::Tensor& images, std::int64_t frames) {
  require_fitting(images, frames);
  const auto patches = embed_patches(images.contiguous());
  return config_.joint_frames > 0 ? embed_jointly(patches, frames) : embed_apart(patches);
}

// The published code wraps a block as a whole, so the residual connection too starts from the shifted tokens.
TokenMove VisionTransformerImpl::move_before_blocks(std::int64_t frames) const {
  if (!config_.temporal_shift) return nullptr;
  return [frames](const at::Tensor& tokens) { return temporal_shift(tokens, frames); };
}

at::Tensor VisionTransformerImpl::forward(const at::Tensor& images, std::int64_t frames) {
  auto x = embed(images, frames);
  // conv1, as embeddings may be frozen while later blocks learn.
  if (conv1->is_training() && config_.embedding_dropout > 0)
    x = at::dropout(x, config_.embedding_dropout, /*train=*/true);
  const auto class_position = at::zeros({x.size(0)}, x.options().dtype(at::kLong));
  x = transformer->forward_at(ln_pre(x), class_position, move_before_blocks(frames));
  return at::matmul(ln_post(x), proj);
}

at::Tensor VisionTransformerImpl::attention_maps(const at::Tensor& images, std::int64_t frames) {
  const at::NoGradGuard no_grad;
  SharesMove shares_move;
  if (config_.temporal_shift) {
    shares_move = [frames, width = config_.width](const at::Tensor& shares) {
      return shares_before_shift(shares, frames, width);
    };
  }
  const auto tokens = ln_pre(embed(images, frames));
  const auto shares = attention_rollout(*transformer, tokens, move_before_blocks(frames), shares_move);
  const std::int64_t grid = config_.image_size / config_.patch_size;
  return shares.narrow(1, 1, shares.size(1) - 1).reshape({images.size(0), grid, grid});
}

}  // namespace actionclip
