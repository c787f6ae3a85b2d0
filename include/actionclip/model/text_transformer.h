// CLIP's text encoder. Parameters carry CLIP's names (at the top level of a state dict).
#pragma once

#include <functional>

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

  // tokens [N, L] (int64; L <= context_length; padded) -> features [N, output_dim], taken at the first end
  // token of a row (TextTransformerConfig::end_token; c10::Error where there is none). Columns behind the
  // last end token of the batch are cut off first: the causal mask makes them irrelevant. `change`, if given,
  // gets the embeddings of the columns that are left, [N, up to L, width], and returns what takes their place
  // before the positions are added.
  at::Tensor forward(const at::Tensor& tokens,
                     const std::function<at::Tensor(const at::Tensor& embeddings)>& change = nullptr);

  torch::nn::Embedding token_embedding{nullptr};
  at::Tensor positional_embedding;  // [context_length, width]
  Transformer transformer{nullptr};
  torch::nn::LayerNorm ln_final{nullptr};
  at::Tensor text_projection;  // [width, output_dim]

 private:
  void initialize();
  at::Tensor find_ends(const at::Tensor& tokens) const;

  TextTransformerConfig config_;
};
TORCH_MODULE(TextTransformer);

}  // namespace actionclip
