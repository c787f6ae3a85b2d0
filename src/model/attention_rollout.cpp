#include "attention_rollout.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include <ATen/ops/bmm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

namespace actionclip {
namespace {

constexpr std::int64_t kWeightsAtOnce = 1 << 24;  // 64 MiB of them

struct QueriesAndKeys {
  at::Tensor queries, keys;  // [N, heads, L, width / heads], the queries scaled
};

QueriesAndKeys project(const MultiheadAttentionImpl& attention, const at::Tensor& x) {
  const std::int64_t width = x.size(2), head_width = width / attention.heads();
  const auto both = at::linear(x, attention.in_proj_weight.narrow(0, 0, 2 * width),
                               attention.in_proj_bias.narrow(0, 0, 2 * width))
                        .to(at::kFloat)
                        .view({x.size(0), x.size(1), 2, attention.heads(), head_width});
  const auto part = [&](std::int64_t which) { return both.select(2, which).transpose(1, 2); };
  return {part(0) / std::sqrt(static_cast<double>(head_width)), part(1)};
}

// The weights of `count` queries from `first` on: [N, heads, count, L].
at::Tensor weights_of(const QueriesAndKeys& tokens, std::int64_t first, std::int64_t count) {
  return at::softmax(at::matmul(tokens.queries.narrow(2, first, count), tokens.keys.transpose(-2, -1)), -1);
}

// Shares of what the attention gives -> of the tokens x that it reads.
at::Tensor through_attention(const MultiheadAttentionImpl& attention, const at::Tensor& x,
                             const at::Tensor& shares) {
  const auto tokens = project(attention, x);
  const std::int64_t length = x.size(1);
  const std::int64_t rows =
      std::clamp<std::int64_t>(kWeightsAtOnce / (x.size(0) * attention.heads() * length), 1, length);
  auto result = at::zeros_like(shares);
  for (std::int64_t first = 0; first < length; first += rows) {
    const std::int64_t count = std::min(rows, length - first);
    const auto weights = weights_of(tokens, first, count).mean(1);
    result += at::bmm(shares.narrow(1, first, count).unsqueeze(1), weights).squeeze(1);
  }
  return result;
}

}  // namespace

at::Tensor attention_weights(const MultiheadAttentionImpl& attention, const at::Tensor& x) {
  return weights_of(project(attention, x), 0, x.size(1));
}

// The class tokens' rows alone are wanted, so the product is taken from the last block to the first, row
// times matrix; that needs what every block read, which is far less than the matrices.
at::Tensor attention_rollout(const TransformerImpl& transformer, at::Tensor x, const TokenMove& before_block,
                             const SharesMove& shares_before_block) {
  std::vector<std::pair<ResidualAttentionBlock, at::Tensor>> inputs;
  for (const auto& module : *transformer.resblocks) {
    ResidualAttentionBlock block(std::dynamic_pointer_cast<ResidualAttentionBlockImpl>(module));
    if (before_block) x = before_block(x);
    inputs.emplace_back(block, x);
    x = block(x);
  }
  auto shares = at::zeros({x.size(0), x.size(1)}, x.options().dtype(at::kFloat));
  shares.select(1, 0).fill_(1);
  for (auto input = inputs.rbegin(); input != inputs.rend(); ++input) {
    auto& [block, tokens] = *input;
    shares = (shares + through_attention(*block->attn, block->ln_1(tokens), shares)) / 2;
    if (shares_before_block) shares = shares_before_block(shares);
  }
  return shares;
}

}  // namespace actionclip
