#include "actionclip/model/text_transformer.h"

#include <cmath>

#include <ATen/ops/embedding.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <torch/nn/init.h>

namespace actionclip {

TextTransformerImpl::TextTransformerImpl(const TextTransformerConfig& config) : config_(config) {
  token_embedding =
      register_module("token_embedding", torch::nn::Embedding(config.vocabulary_size, config.width));
  positional_embedding =
      register_parameter("positional_embedding", at::empty({config.context_length, config.width}));
  transformer =
      register_module("transformer", Transformer(TransformerOptions{.width = config.width,
                                                                    .layers = config.layers,
                                                                    .heads = config.heads,
                                                                    .causal = true,
                                                                    .mlp_width = config.mlp_width,
                                                                    .activation = config.activation,
                                                                    .layer_scale = config.layer_scale,
                                                                    .drop_path = config.drop_path}));
  ln_final = register_module("ln_final", torch::nn::LayerNorm(torch::nn::LayerNormOptions({config.width})));
  text_projection = register_parameter("text_projection", at::empty({config.width, config.output_dim}));
  initialize();
}

// CLIP's own standard deviations.
void TextTransformerImpl::initialize() {
  const double width = static_cast<double>(config_.width);
  const double attention_std = std::pow(width, -0.5);
  const double projection_std = attention_std * std::pow(2.0 * static_cast<double>(config_.layers), -0.5);
  torch::nn::init::normal_(token_embedding->weight, 0, 0.02);
  torch::nn::init::normal_(positional_embedding, 0, 0.01);
  for (const auto& module : *transformer->resblocks) {
    auto* block = module->as<ResidualAttentionBlock>();
    torch::nn::init::normal_(block->attn->in_proj_weight, 0, attention_std);
    torch::nn::init::normal_(block->attn->out_proj->weight, 0, projection_std);
    torch::nn::init::normal_(block->mlp->c_fc->weight, 0, std::pow(2 * width, -0.5));
    torch::nn::init::normal_(block->mlp->c_proj->weight, 0, projection_std);
  }
  torch::nn::init::normal_(text_projection, 0, attention_std);
}

// [N]: the place in each row at which its feature is taken.
at::Tensor TextTransformerImpl::find_ends(const at::Tensor& tokens) const {
  if (config_.end_token == kLargestToken) return tokens.argmax(-1);
  const auto is_end = tokens.eq(config_.end_token);
  TORCH_CHECK(is_end.any(-1).all().item<bool>(), "a row of tokens lacks the end token, ", config_.end_token);
  return is_end.to(at::kByte).argmax(-1);  // the first of equal ones
}

at::Tensor TextTransformerImpl::forward(const at::Tensor& tokens,
                                        const std::function<at::Tensor(const at::Tensor&)>& change) {
  TORCH_CHECK(tokens.dim() == 2 && tokens.size(1) <= config_.context_length, "tokens of shape ",
              tokens.sizes(), " given, [N, up to ", config_.context_length, "] needed");
  const auto device = token_embedding->weight.device();
  // Found before the tokens go to the device: there, reading the length would wait for everything queued.
  const auto end_positions = find_ends(tokens);
  const std::int64_t length = tokens.size(0) > 0 ? end_positions.max().item<std::int64_t>() + 1 : 1;
  const auto used_tokens = tokens.narrow(1, 0, length).to(device, /*non_blocking=*/true);
  const auto embeddings = token_embedding(used_tokens);
  const auto x = (change ? change(embeddings) : embeddings) + positional_embedding.narrow(0, 0, length);
  const auto at_end = transformer->forward_at(x, end_positions.to(device, /*non_blocking=*/true));
  return at::matmul(ln_final(at_end), text_projection);
}

}  // namespace actionclip
