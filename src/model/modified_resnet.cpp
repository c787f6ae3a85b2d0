#include "actionclip/model/modified_resnet.h"

#include <cmath>
#include <string>

#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/softmax.h>
#include <fmt/format.h>
#include <torch/nn/init.h>
#include <torch/nn/modules/container/modulelist.h>

#include "actionclip/core/error.h"

namespace actionclip {
namespace {

constexpr std::int64_t kBlockExpansion = 4;  // of a bottleneck's planes
constexpr std::int64_t kTotalStride = 32;
constexpr double kMomentum = 0.1;

// `parent` gets the two layers under these names.
NormalizedConvolution add_convolution(torch::nn::Module& parent, const std::string& convolution,
                                      const std::string& norm, torch::nn::Conv2dOptions options) {
  const auto outputs = options.out_channels();
  NormalizedConvolution layers;
  layers.convolution = parent.register_module(convolution, torch::nn::Conv2d(options.bias(false)));
  layers.norm = parent.register_module(
      norm, torch::nn::BatchNorm2d(torch::nn::BatchNorm2dOptions(outputs).momentum(kMomentum)));
  return layers;
}

torch::nn::Conv2dOptions options_3x3(std::int64_t inputs, std::int64_t outputs, std::int64_t stride = 1) {
  return torch::nn::Conv2dOptions(inputs, outputs, 3).stride(stride).padding(1);
}

at::Tensor linear(const torch::nn::Linear& layer, const at::Tensor& x) {
  return at::linear(x, layer->weight, layer->bias);
}

}  // namespace

at::Tensor NormalizedConvolution::operator()(const at::Tensor& x) {
  const auto y = convolution(x);
  const bool learns = norm->is_training() && norm->weight.requires_grad();
  if (learns) {
    if (y.numel() / y.size(1) < 2)
      throw Error(
          "batch normalisation has one value a channel to take its statistics from: train the ResNet with a "
          "larger batch or larger images");
    norm->num_batches_tracked.add_(1);
  }
  return at::batch_norm(y, norm->weight, norm->bias, norm->running_mean, norm->running_var, learns, kMomentum,
                        norm->options.eps(), at::globalContext().userEnabledCuDNN());
}

BottleneckImpl::BottleneckImpl(std::int64_t inputs, std::int64_t planes, std::int64_t stride)
    : stride_(stride) {
  const std::int64_t outputs = kBlockExpansion * planes;
  first_ = add_convolution(*this, "conv1", "bn1", torch::nn::Conv2dOptions(inputs, planes, 1));
  second_ = add_convolution(*this, "conv2", "bn2", options_3x3(planes, planes));
  third_ = add_convolution(*this, "conv3", "bn3", torch::nn::Conv2dOptions(planes, outputs, 1));
  // CLIP's start: a block is its shortcut at first.
  torch::nn::init::zeros_(third_.norm->weight);
  if (stride == 1 && inputs == outputs) return;
  const auto downsample = register_module("downsample", std::make_shared<torch::nn::Module>("downsample"));
  shortcut_ = add_convolution(*downsample, "0", "1", torch::nn::Conv2dOptions(inputs, outputs, 1));
}

// Convolutions have stride 1: pooling halves the image, which keeps it free of aliasing.
at::Tensor BottleneckImpl::forward(const at::Tensor& x) {
  const auto reduced = [&](const at::Tensor& input) {
    return stride_ == 1 ? input : at::avg_pool2d(input, {stride_, stride_});
  };
  auto y = first_(x).relu_();
  y = second_(y).relu_();
  y = third_(reduced(y));
  const auto shortcut = shortcut_.convolution.is_empty() ? x : shortcut_(reduced(x));
  return (y + shortcut).relu_();
}

AttentionPoolImpl::AttentionPoolImpl(std::int64_t grid, std::int64_t width, std::int64_t heads,
                                     std::int64_t output_dim)
    : heads_(heads) {
  const double scale = 1 / std::sqrt(static_cast<double>(width));
  positional_embedding =
      register_parameter("positional_embedding", at::randn({grid * grid + 1, width}) * scale);
  k_proj = register_module("k_proj", torch::nn::Linear(width, width));
  q_proj = register_module("q_proj", torch::nn::Linear(width, width));
  v_proj = register_module("v_proj", torch::nn::Linear(width, width));
  c_proj = register_module("c_proj", torch::nn::Linear(width, output_dim));
  for (const auto& layer : {q_proj, k_proj, v_proj, c_proj})
    torch::nn::init::normal_(layer->weight, 0, scale);
}

at::Tensor AttentionPoolImpl::split_heads(const at::Tensor& x) const {
  return x.reshape({x.size(0), x.size(1), heads_, x.size(2) / heads_}).transpose(1, 2);
}

at::Tensor AttentionPoolImpl::tokens(const at::Tensor& x) const {
  const auto places = x.flatten(2).transpose(1, 2);
  return at::cat({places.mean(1, /*keepdim=*/true), places}, 1) + positional_embedding;
}

at::Tensor AttentionPoolImpl::forward(const at::Tensor& x) {
  const auto all = tokens(x);
  const auto pooled =
      at::scaled_dot_product_attention(split_heads(linear(q_proj, all.narrow(1, 0, 1))),
                                       split_heads(linear(k_proj, all)), split_heads(linear(v_proj, all)));
  return linear(c_proj, pooled.transpose(1, 2).reshape({x.size(0), x.size(1)}));
}

at::Tensor AttentionPoolImpl::weights(const at::Tensor& x) {
  const auto all = tokens(x);
  const auto query = split_heads(linear(q_proj, all.narrow(1, 0, 1)));
  const auto keys = split_heads(linear(k_proj, all));
  return at::softmax(at::matmul(query, keys.transpose(-2, -1)) / std::sqrt(query.size(-1)), -1);
}

ModifiedResNetImpl::ModifiedResNetImpl(const VisionConfig& config) : image_size_(config.image_size) {
  const std::int64_t width = config.width;
  first_ = add_convolution(*this, "conv1", "bn1", options_3x3(3, width / 2, /*stride=*/2));
  second_ = add_convolution(*this, "conv2", "bn2", options_3x3(width / 2, width / 2));
  third_ = add_convolution(*this, "conv3", "bn3", options_3x3(width / 2, width));
  std::int64_t inputs = width, planes = width;
  for (std::size_t i = 0; i < config.stages.size(); ++i) {
    add_stage(static_cast<int>(i) + 1, inputs, planes, config.stages[i]);
    inputs = kBlockExpansion * planes;
    planes *= 2;
  }
  attnpool_ =
      register_module("attnpool", AttentionPool(config.image_size / kTotalStride, width * kResNetExpansion,
                                                config.heads, config.output_dim));
}

void ModifiedResNetImpl::add_stage(int number, std::int64_t inputs, std::int64_t planes,
                                   std::int64_t blocks) {
  const auto stage = register_module(fmt::format("layer{}", number), torch::nn::ModuleList());
  for (std::int64_t i = 0; i < blocks; ++i) {
    const Bottleneck block(i == 0 ? inputs : kBlockExpansion * planes, planes, i == 0 && number > 1 ? 2 : 1);
    stage->push_back(block);
    blocks_.push_back(block);
  }
}

at::Tensor ModifiedResNetImpl::places(const at::Tensor& images) {
  TORCH_CHECK(images.dim() == 4 && images.size(1) == 3 && images.size(2) == image_size_ &&
                  images.size(3) == image_size_,
              "images of shape ", images.sizes(), " given, [N, 3, ", image_size_, ", ", image_size_,
              "] needed");
  auto x = first_(images).relu_();
  x = second_(x).relu_();
  x = at::avg_pool2d(third_(x).relu_(), {2, 2});
  for (auto& block : blocks_) x = block(x);
  return x;
}

at::Tensor ModifiedResNetImpl::forward(const at::Tensor& images, std::int64_t /*frames*/) {
  return attnpool_(places(images));
}

at::Tensor ModifiedResNetImpl::attention_maps(const at::Tensor& images, std::int64_t /*frames*/) {
  const at::NoGradGuard no_grad;
  const auto x = places(images);
  const auto weights = attnpool_->weights(x).mean(1).squeeze(1);
  return weights.narrow(1, 1, weights.size(1) - 1).reshape({x.size(0), x.size(2), x.size(3)}).to(at::kFloat);
}

}  // namespace actionclip
