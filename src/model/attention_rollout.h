// Attention roll-out (Abnar & Zuidema 2020, "Quantifying Attention Flow in Transformers"): which of the
// tokens that enter a transformer its class token draws from. Each block passes on (A + I) / 2, A the mean
// over its heads of the attention's weights, I the residual connection; the blocks' product is the flow. Rows
// sum to 1, so that there is nothing to normalise.
#pragma once

#include <functional>

#include <ATen/core/Tensor.h>

#include "actionclip/model/transformer.h"

namespace actionclip {

// The weights that `attention` (not causal) mixes the values of x [N, L, width] with, computed once more from
// its input projection: [N, heads, L, L], each row summing to 1.
at::Tensor attention_weights(const MultiheadAttentionImpl& attention, const at::Tensor& x);

// Shares [N, L] of the tokens behind a TokenMove -> those of the tokens before it.
using SharesMove = std::function<at::Tensor(const at::Tensor& shares)>;

// x [N, L, width], the class token first -> shares [N, L] fp32 that the N class tokens together draw from
// each token: they sum to N. Two sequences share tokens only where `before_block` (see
// TransformerImpl::forward_at) moves them, which `shares_before_block` must then take back. In evaluation
// mode; the weights of long sequences are never in memory as a whole.
at::Tensor attention_rollout(const TransformerImpl& transformer, at::Tensor x,
                             const TokenMove& before_block = nullptr,
                             const SharesMove& shares_before_block = nullptr);

}  // namespace actionclip
