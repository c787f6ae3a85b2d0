#include <ATen/ops/cat.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/zeros.h>
#include <torch/nn/init.h>
#include <torch/nn/modules/container/modulelist.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>
#include <torch/nn/pimpl.h>

#include "actionclip/model/transformer.h"

#include "heads.h"

namespace actionclip {
namespace {

constexpr double kDropout = 0.1;
constexpr double kInitialStd = 0.02;  // the published head cuts it at 2, which 100 deviations never reach

torch::nn::LayerNorm make_layer_norm(std::int64_t width) {
  return torch::nn::LayerNorm(torch::nn::LayerNormOptions({width}));
}

void initialize(torch::nn::Linear& linear) {
  torch::nn::init::normal_(linear->weight, 0, kInitialStd);
  torch::nn::init::zeros_(linear->bias);
}

// Vaswani et al. 2017's encoder layer: norm1(x + attention(x)), then norm2(x + linear2(relu(linear1(x)))),
// with dropout in the attention, behind it, and behind each linear layer. torch::nn::TransformerEncoderLayer
// computes the same, but compares queries with keys first, for which a GPU has to wait.
class EncoderLayerImpl : public torch::nn::Module {
 public:
  explicit EncoderLayerImpl(std::int64_t width) {
    self_attn = register_module(
        "self_attn", MultiheadAttention(TransformerOptions{
                         .width = width, .heads = kClassTokenHeads, .attention_dropout = kDropout}));
    linear1 = register_module("linear1", torch::nn::Linear(width, kClassTokenMlpWidth));
    linear2 = register_module("linear2", torch::nn::Linear(kClassTokenMlpWidth, width));
    norm1 = register_module("norm1", make_layer_norm(width));
    norm2 = register_module("norm2", make_layer_norm(width));
    for (auto* linear : {&self_attn->out_proj, &linear1, &linear2}) initialize(*linear);
  }

  at::Tensor forward(const at::Tensor& x) {
    const auto attended = norm1(x + drop(self_attn(x)));
    const auto hidden = drop(at::relu(at::linear(attended, linear1->weight, linear1->bias)));
    return norm2(attended + drop(at::linear(hidden, linear2->weight, linear2->bias)));
  }

  MultiheadAttention self_attn{nullptr};
  torch::nn::Linear linear1{nullptr};
  torch::nn::Linear linear2{nullptr};
  torch::nn::LayerNorm norm1{nullptr};
  torch::nn::LayerNorm norm2{nullptr};

 private:
  at::Tensor drop(const at::Tensor& x) const { return at::dropout(x, kDropout, is_training()); }
};
TORCH_MODULE(EncoderLayer);

class EncoderImpl : public torch::nn::Module {
 public:
  EncoderImpl(std::int64_t width, std::int64_t depth) {
    layers = register_module("layers", torch::nn::ModuleList());
    for (std::int64_t i = 0; i < depth; ++i) layers->push_back(EncoderLayer(width));
    norm = register_module("norm", make_layer_norm(width));
  }

  // x [B, L, D] -> [B, D]: what becomes of the first position.
  at::Tensor forward(at::Tensor x) {
    for (const auto& layer : *layers) x = layer->as<EncoderLayer>()->forward(x);
    return norm(x.select(1, 0));
  }

  torch::nn::ModuleList layers{nullptr};
  torch::nn::LayerNorm norm{nullptr};
};
TORCH_MODULE(Encoder);

// Below the head as `transformer`.
class FrameTransformerImpl : public torch::nn::Module {
 public:
  explicit FrameTransformerImpl(const TemporalFusionConfig& config) {
    cls_token = register_parameter("cls_token", at::zeros({1, 1, config.width}));
    pos_embed = register_parameter("pos_embed", at::zeros({1, config.frames + 1, config.width}));
    transformer_enc = register_module("transformer_enc", Encoder(config.width, config.layers));
    torch::nn::init::normal_(cls_token, 0, kInitialStd);
    torch::nn::init::normal_(pos_embed, 0, config.position_std);
  }

  // x [B, T, D] -> [B, D].
  at::Tensor forward(const at::Tensor& x) {
    const std::int64_t frames = pos_embed.size(1) - 1;
    TORCH_CHECK(x.size(1) == frames, "the Transf_cls head was made for ", frames, " frames a video, ",
                x.size(1), " given");
    const auto class_token = cls_token.to(x.scalar_type()).expand({x.size(0), 1, -1});
    return transformer_enc(at::cat({class_token, x}, 1) + pos_embed);
  }

  at::Tensor cls_token;  // [1, 1, D]
  at::Tensor pos_embed;  // [1, T + 1, D]
  Encoder transformer_enc{nullptr};
};
TORCH_MODULE(FrameTransformer);

class ClassTokenFusion : public TemporalFusion {
 public:
  explicit ClassTokenFusion(const TemporalFusionConfig& config) {
    transformer_ = register_module("transformer", FrameTransformer(config));
  }

  at::Tensor forward(const at::Tensor& frame_features) override {
    return transformer_(frame_features).to(frame_features.scalar_type());
  }

 private:
  FrameTransformer transformer_{nullptr};
};

}  // namespace

std::shared_ptr<TemporalFusion> make_class_token_fusion(const TemporalFusionConfig& config) {
  return std::make_shared<ClassTokenFusion>(config);
}

}  // namespace actionclip
