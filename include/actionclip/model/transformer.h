// CLIP's transformer: pre-norm residual attention blocks. Parameters carry CLIP's names.
// Source: Radford et al. 2021, section 2.4; ActionCLIP's fusion head uses the same block with another
// LayerNorm eps.
#pragma once

#include <cstdint>
#include <optional>

#include <ATen/core/Tensor.h>
#include <torch/nn/cloneable.h>
#include <torch/nn/modules/container/modulelist.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>
#include <torch/nn/pimpl.h>

namespace actionclip {

// x * sigmoid(1.702 x), elementwise. Its backward keeps x alone.
at::Tensor quick_gelu(const at::Tensor& x);

struct TransformerOptions {
  std::int64_t width = 512;
  std::int64_t layers = 12;
  std::int64_t heads = 8;
  double layer_norm_eps = 1e-5;
  bool causal = false;  // position i attends to positions <= i
};

// Self-attention over [N, L, width]; packed input projection `in_proj_weight` [3 width, width] (query, key,
// value), `out_proj`.
class MultiheadAttentionImpl : public torch::nn::Module {
 public:
  explicit MultiheadAttentionImpl(const TransformerOptions& options);

  // x [N, L, width] -> [N, L, width].
  at::Tensor forward(const at::Tensor& x);

  // The rows of forward() at `positions` [N] only: [N, 1, width].
  at::Tensor forward_at(const at::Tensor& x, const at::Tensor& positions);

  at::Tensor in_proj_weight;
  at::Tensor in_proj_bias;
  torch::nn::Linear out_proj{nullptr};

 private:
  at::Tensor split_heads(const at::Tensor& x) const;  // [N, L, width] -> [N, heads, L, width / heads]

  std::int64_t width_;
  std::int64_t heads_;
  bool causal_;
};
TORCH_MODULE(MultiheadAttention);

// The block's perceptron: c_fc (to 4 width), QuickGELU, c_proj.
class MlpImpl : public torch::nn::Module {
 public:
  explicit MlpImpl(std::int64_t width);
  at::Tensor forward(const at::Tensor& x);

  torch::nn::Linear c_fc{nullptr};
  torch::nn::Linear c_proj{nullptr};
};
TORCH_MODULE(Mlp);

// x + attn(ln_1(x)), then x + mlp(ln_2(x)).
class ResidualAttentionBlockImpl : public torch::nn::Module {
 public:
  explicit ResidualAttentionBlockImpl(const TransformerOptions& options);

  at::Tensor forward(const at::Tensor& x);
  at::Tensor forward_at(const at::Tensor& x, const at::Tensor& positions);

  MultiheadAttention attn{nullptr};
  torch::nn::LayerNorm ln_1{nullptr};
  Mlp mlp{nullptr};
  torch::nn::LayerNorm ln_2{nullptr};
};
TORCH_MODULE(ResidualAttentionBlock);

class TransformerImpl : public torch::nn::Module {
 public:
  explicit TransformerImpl(const TransformerOptions& options);

  // x [N, L, width] -> [N, L, width].
  at::Tensor forward(at::Tensor x);

  // forward(x) at one position of each sequence, `positions` [N] (int64): [N, width]. The last block then
  // computes its query, output projection and perceptron for that position only; the result is the same.
  at::Tensor forward_at(at::Tensor x, const at::Tensor& positions);

  torch::nn::ModuleList resblocks{nullptr};

  // Whether a block keeps its input alone for the backward pass, which then computes it once more: memory for
  // about a third more time.
  bool checkpoints_activations = false;

 private:
  // Block `index` on x; at `positions` only, where they are given.
  at::Tensor run_block(std::size_t index, const at::Tensor& x,
                       const std::optional<at::Tensor>& positions = {});
};
TORCH_MODULE(Transformer);

// Sets checkpoints_activations of every transformer below `model`.
void set_activation_checkpointing(torch::nn::Module& model, bool on);

}  // namespace actionclip
