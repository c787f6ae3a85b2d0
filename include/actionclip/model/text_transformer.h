// CLIP's text encoder. Parameters carry CLIP's names (at the top level of a state dict).
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/normalization.h>
#include <torch/nn/pimpl.h>

#include "actionclip/model/config.h"
#include "actionclip/model/transformer.h"

namespace actionclip {

class TextTransformerImpl : public torch::nn::Module {
 public:
  explicit TextTransformerImpl(const TextTransformerConfig& config);

  // tokens [N, L] (int64; L <= context_length; zero padded) -> features [N, output_dim], taken at the largest
  // token id of a row
  // (= end of text). Columns behind the last end token of the batch are cut off first: the causal mask makes
  // them irrelevant.
  at::Tensor forward(const at::Tensor& tokens);

  torch::nn::Embedding token_embedding{nullptr};
  at::Tensor positional_embedding;  // [context_length, width]
  Transformer transformer{nullptr};
  torch::nn::LayerNorm ln_final{nullptr};
  at::Tensor text_projection;  // [width, output_dim]

 private:
  void initialize();

  TextTransformerConfig config_;
};
TORCH_MODULE(TextTransformer);

}  // namespace actionclip
