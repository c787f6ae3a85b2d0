#include "actionclip/model/vision_transformer.h"

#include <cmath>

#include <ATen/ops/cat.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>

namespace actionclip {

VisionTransformerImpl::VisionTransformerImpl(const VisionTransformerConfig& config) : config_(config) {
  const std::int64_t width = config.width, patch = config.patch_size;
  const std::int64_t grid = config.image_size / patch;
  const double scale = 1 / std::sqrt(static_cast<double>(width));
  conv1 = register_module(
      "conv1", torch::nn::Conv2d(torch::nn::Conv2dOptions(3, width, patch).stride(patch).bias(false)));
  class_embedding = register_parameter("class_embedding", at::randn({width}) * scale);
  positional_embedding =
      register_parameter("positional_embedding", at::randn({grid * grid + 1, width}) * scale);
  ln_pre = register_module("ln_pre", torch::nn::LayerNorm(torch::nn::LayerNormOptions({width})));
  transformer = register_module(
      "transformer",
      Transformer(TransformerOptions{.width = width, .layers = config.layers, .heads = config.heads}));
  ln_post = register_module("ln_post", torch::nn::LayerNorm(torch::nn::LayerNormOptions({width})));
  proj = register_parameter("proj", at::randn({width, config.output_dim}) * scale);
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

at::Tensor VisionTransformerImpl::forward(const at::Tensor& images) {
  TORCH_CHECK(images.dim() == 4 && images.size(1) == 3 && images.size(2) == config_.image_size &&
                  images.size(3) == config_.image_size,
              "images of shape ", images.sizes(), " given, [N, 3, ", config_.image_size, ", ",
              config_.image_size, "] needed");
  const auto patches = embed_patches(images.contiguous());
  const auto class_token = class_embedding.to(patches.scalar_type()).expand({patches.size(0), 1, -1});
  auto x = at::cat({class_token, patches}, 1) + positional_embedding;
  const auto class_position = at::zeros({x.size(0)}, x.options().dtype(at::kLong));
  x = transformer->forward_at(ln_pre(x), class_position);
  return at::matmul(ln_post(x), proj);
}

}  // namespace actionclip
