// CLIP's transformer: pre-norm residual attention blocks. Parameters carry CLIP's names.
// Source: Radford et al. 2021, section 2.4; ActionCLIP's fusion head uses the same block with another
// LayerNorm eps.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include <ATen/core/Tensor.h>
#include <torch/nn/cloneable.h>
#include <torch/nn/modules/container/modulelist.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>
#include <torch/nn/pimpl.h>

#include "actionclip/model/config.h"

namespace actionclip {

// x * sigmoid(1.702 x), elementwise. Its backward keeps x alone.
at::Tensor quick_gelu(const at::Tensor& x);

struct TransformerOptions {
  std::int64_t width = 512;
  std::int64_t layers = 12;
  std::int64_t heads = 8;
  double attention_dropout = 0;  // of the attention's weights, in training
  double layer_norm_eps = 1e-5;
  bool causal = false;         // position i attends to positions <= i
  std::int64_t mlp_width = 0;  // 0: 4 width
  Activation activation = Activation::quick_gelu;
  bool layer_scale = false;  // see LayerScale
  double drop_path = 0;      // of the last block; grows linearly from 0 at the first
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

  std::int64_t heads() const { return heads_; }

  at::Tensor in_proj_weight;
  at::Tensor in_proj_bias;
  torch::nn::Linear out_proj{nullptr};

 private:
  double dropout() const { return is_training() ? dropout_ : 0; }
  at::Tensor split_heads(const at::Tensor& x) const;  // [N, L, width] -> [N, heads, L, width / heads]

  std::int64_t width_;
  std::int64_t heads_;
  double dropout_;
  bool causal_;
};
TORCH_MODULE(MultiheadAttention);

// The block's perceptron: c_fc (to mlp_width), the activation, c_proj.
class MlpImpl : public torch::nn::Module {
 public:
  explicit MlpImpl(const TransformerOptions& options);
  at::Tensor forward(const at::Tensor& x);

  torch::nn::Linear c_fc{nullptr};
  torch::nn::Linear c_proj{nullptr};

 private:
  Activation activation_;
};
TORCH_MODULE(Mlp);

// A learned factor `gamma` [width] for each channel of a residual branch (Touvron et al. 2021, "Going deeper
// with Image Transformers"); starts at 1e-4, as in open_clip.
class LayerScaleImpl : public torch::nn::Module {
 public:
  explicit LayerScaleImpl(std::int64_t width);
  at::Tensor forward(const at::Tensor& x);

  at::Tensor gamma;
};
TORCH_MODULE(LayerScale);

// x + ls_1(attn(ln_1(x))), then x + ls_2(mlp(ln_2(x))); ls_1 and ls_2 where options.layer_scale asks for
// them. In training each sequence of a batch is spared each of the two branches with probability `drop_path`
// (drop_path.h).
class ResidualAttentionBlockImpl : public torch::nn::Module {
 public:
  explicit ResidualAttentionBlockImpl(const TransformerOptions& options, double drop_path = 0);

  // x [N, L, width] -> [N, L, width].
  at::Tensor forward(const at::Tensor& x);

  // The rows of forward() at `positions` [N] only: [N, 1, width].
  at::Tensor forward_at(const at::Tensor& x, const at::Tensor& positions);

  double drop_path() const { return drop_path_; }

  // Whether forward() draws random numbers.
  bool draws() const { return is_training() && drop_path_ > 0; }

  MultiheadAttention attn{nullptr};
  torch::nn::LayerNorm ln_1{nullptr};
  LayerScale ls_1{nullptr};
  Mlp mlp{nullptr};
  torch::nn::LayerNorm ln_2{nullptr};
  LayerScale ls_2{nullptr};

 private:
  // x + branch, scaled by `scale` unless that is null.
  at::Tensor add(const at::Tensor& x, const at::Tensor& branch, LayerScale& scale) const;

  double drop_path_;
};
TORCH_MODULE(ResidualAttentionBlock);

// What happens to the tokens [N, L, width] before a block.
using TokenMove = std::function<at::Tensor(const at::Tensor& x)>;

class TransformerImpl : public torch::nn::Module {
 public:
  explicit TransformerImpl(const TransformerOptions& options);

  // x [N, L, width] -> [N, L, width].
  at::Tensor forward(at::Tensor x);

  // forward(x) at one position of each sequence, `positions` [N] (int64): [N, width]. The last block then
  // computes its query, output projection and perceptron for that position only; the result is the same.
  // `before_block`: applied to the input of every block, the residual connection included.
  at::Tensor forward_at(at::Tensor x, const at::Tensor& positions, const TokenMove& before_block = nullptr);

  torch::nn::ModuleList resblocks{nullptr};

  // Whether a block keeps its input alone for the backward pass, which then computes it once more: memory for
  // about a third more time.
  bool checkpoints_activations = false;

 private:
  // Block `index` on before_block(x); at `positions` only, where they are given.
  at::Tensor run_block(std::size_t index, const at::Tensor& x, const TokenMove& before_block = nullptr,
                       const std::optional<at::Tensor>& positions = {});
};
TORCH_MODULE(Transformer);

// Sets checkpoints_activations of every transformer below `model`.
void set_activation_checkpointing(torch::nn::Module& model, bool on);

}  // namespace actionclip
