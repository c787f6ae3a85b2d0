#include "actionclip/model/transformer.h"

#include <ATen/ops/addmm.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/nn/init.h>
#include <torch/nn/options/normalization.h>

#include "activation_checkpoint.h"
#include "drop_path.h"

namespace actionclip {
namespace {

constexpr double kQuickGeluSlope = 1.702;
constexpr double kInitialLayerScale = 1e-4;

// Plain autograd would keep three tensors of the widest size in the network (1.702 x, its sigmoid, x); this
// keeps one.
class QuickGelu : public torch::autograd::Function<QuickGelu> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x) {
    context->save_for_backward({x});
    return at::sigmoid(x * kQuickGeluSlope).mul_(x);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const at::Tensor x = context->get_saved_variables()[0];
    const at::Tensor gate = at::sigmoid(x * kQuickGeluSlope);
    // d/dx x g(x) = g + 1.702 x g (1 - g)
    at::Tensor slope = (1 - gate).mul_(x).mul_(kQuickGeluSlope).add_(1).mul_(gate);
    return {slope.mul_(gradients[0])};
  }
};

// Rows of x [N, L, width] at `positions` [N]: [N, 1, width].
at::Tensor rows_at(const at::Tensor& x, const at::Tensor& positions) {
  return x.gather(1, positions.view({-1, 1, 1}).expand({-1, 1, x.size(2)}));
}

// In one operation. torch::nn::Linear takes the product and adds the bias to it, under autocast in fp32 with
// copies both ways.
at::Tensor linear(const torch::nn::Linear& layer, const at::Tensor& x) {
  return at::linear(x, layer->weight, layer->bias);
}

torch::nn::LayerNorm make_layer_norm(const TransformerOptions& options) {
  return torch::nn::LayerNorm(torch::nn::LayerNormOptions({options.width}).eps(options.layer_norm_eps));
}

}  // namespace

at::Tensor quick_gelu(const at::Tensor& x) { return QuickGelu::apply(x); }

MultiheadAttentionImpl::MultiheadAttentionImpl(const TransformerOptions& options)
    : width_(options.width),
      heads_(options.heads),
      dropout_(options.attention_dropout),
      causal_(options.causal) {
  TORCH_CHECK(width_ % heads_ == 0, "attention width ", width_, " is not a multiple of its ", heads_,
              " heads");
  in_proj_weight = register_parameter("in_proj_weight", at::empty({3 * width_, width_}));
  in_proj_bias = register_parameter("in_proj_bias", at::zeros({3 * width_}));
  out_proj = register_module("out_proj", torch::nn::Linear(width_, width_));
  torch::nn::init::xavier_uniform_(in_proj_weight);
  torch::nn::init::zeros_(out_proj->bias);
}

at::Tensor MultiheadAttentionImpl::split_heads(const at::Tensor& x) const {
  return x.view({x.size(0), x.size(1), heads_, width_ / heads_}).transpose(1, 2);
}

at::Tensor MultiheadAttentionImpl::forward(const at::Tensor& x) {
  const auto qkv = at::linear(x, in_proj_weight, in_proj_bias).chunk(3, -1);
  const auto attended = at::scaled_dot_product_attention(split_heads(qkv[0]), split_heads(qkv[1]),
                                                         split_heads(qkv[2]), {}, dropout(), causal_);
  return linear(out_proj, attended.transpose(1, 2).reshape(x.sizes()));
}

at::Tensor MultiheadAttentionImpl::forward_at(const at::Tensor& x, const at::Tensor& positions) {
  const auto query = at::linear(rows_at(x, positions), in_proj_weight.narrow(0, 0, width_),
                                in_proj_bias.narrow(0, 0, width_));
  const auto key_value =
      at::linear(x, in_proj_weight.narrow(0, width_, 2 * width_), in_proj_bias.narrow(0, width_, 2 * width_))
          .chunk(2, -1);
  std::optional<at::Tensor> mask;
  if (causal_) {
    const auto columns = at::arange(x.size(1), positions.options());
    mask = (columns.unsqueeze(0) <= positions.unsqueeze(1)).view({x.size(0), 1, 1, x.size(1)});
  }
  const auto attended = at::scaled_dot_product_attention(split_heads(query), split_heads(key_value[0]),
                                                         split_heads(key_value[1]), mask, dropout());
  return linear(out_proj, attended.transpose(1, 2).reshape({x.size(0), 1, width_}));
}

MlpImpl::MlpImpl(const TransformerOptions& options) : activation_(options.activation) {
  const std::int64_t hidden = mlp_width_of(options.mlp_width, options.width);
  c_fc = register_module("c_fc", torch::nn::Linear(options.width, hidden));
  c_proj = register_module("c_proj", torch::nn::Linear(hidden, options.width));
}

at::Tensor MlpImpl::forward(const at::Tensor& x) {
  const auto hidden = linear(c_fc, x);
  return linear(c_proj, activation_ == Activation::gelu ? at::gelu(hidden) : quick_gelu(hidden));
}

LayerScaleImpl::LayerScaleImpl(std::int64_t width) {
  gamma = register_parameter("gamma", at::full({width}, kInitialLayerScale));
}

at::Tensor LayerScaleImpl::forward(const at::Tensor& x) { return x * gamma; }

ResidualAttentionBlockImpl::ResidualAttentionBlockImpl(const TransformerOptions& options, double drop_path)
    : drop_path_(drop_path) {
  attn = register_module("attn", MultiheadAttention(options));
  ln_1 = register_module("ln_1", make_layer_norm(options));
  mlp = register_module("mlp", Mlp(options));
  ln_2 = register_module("ln_2", make_layer_norm(options));
  if (!options.layer_scale) return;
  ls_1 = register_module("ls_1", LayerScale(options.width));
  ls_2 = register_module("ls_2", LayerScale(options.width));
}

at::Tensor ResidualAttentionBlockImpl::add(const at::Tensor& x, const at::Tensor& branch,
                                           LayerScale& scale) const {
  const auto scaled = scale.is_empty() ? branch : scale(branch);
  return x + (draws() ? actionclip::drop_path(scaled, drop_path_) : scaled);
}

at::Tensor ResidualAttentionBlockImpl::forward(const at::Tensor& x) {
  const auto attended = add(x, attn(ln_1(x)), ls_1);
  return add(attended, mlp(ln_2(attended)), ls_2);
}

at::Tensor ResidualAttentionBlockImpl::forward_at(const at::Tensor& x, const at::Tensor& positions) {
  const auto attended = add(rows_at(x, positions), attn->forward_at(ln_1(x), positions), ls_1);
  return add(attended, mlp(ln_2(attended)), ls_2);
}

TransformerImpl::TransformerImpl(const TransformerOptions& options) {
  resblocks = register_module("resblocks", torch::nn::ModuleList());
  for (std::int64_t i = 0; i < options.layers; ++i)
    resblocks->push_back(
        ResidualAttentionBlock(options, drop_path_rate(options.drop_path, i, options.layers)));
}

at::Tensor TransformerImpl::run_block(std::size_t index, const at::Tensor& x, const TokenMove& before_block,
                                      const std::optional<at::Tensor>& positions) {
  const auto block = resblocks->ptr<ResidualAttentionBlockImpl>(index);
  const Block compute = [block, before_block, positions](const at::Tensor& tokens) {
    const auto input = before_block ? before_block(tokens) : tokens;
    return positions ? block->forward_at(input, *positions) : block->forward(input);
  };
  return checkpoints_activations ? run_checkpointed(compute, block->parameters(), x, block->draws())
                                 : compute(x);
}

at::Tensor TransformerImpl::forward(at::Tensor x) {
  for (std::size_t i = 0; i < resblocks->size(); ++i) x = run_block(i, x);
  return x;
}

at::Tensor TransformerImpl::forward_at(at::Tensor x, const at::Tensor& positions,
                                       const TokenMove& before_block) {
  const auto count = resblocks->size();
  if (count == 0) return rows_at(x, positions).squeeze(1);
  for (std::size_t i = 0; i + 1 < count; ++i) x = run_block(i, x, before_block);
  return run_block(count - 1, x, before_block, positions).squeeze(1);
}

void set_activation_checkpointing(torch::nn::Module& model, bool on) {
  model.apply([on](torch::nn::Module& module) {
    if (auto* transformer = module.as<Transformer>()) transformer->checkpoints_activations = on;
  });
}

}  // namespace actionclip
