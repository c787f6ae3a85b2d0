// Learned context: vectors that stand in the prompts in place of words.
// Source: Zhou et al., "Learning to Prompt for Vision-Language Models" (CoOp), 2022, section 3.2. Where CoOp
// says at which end the class stands, the position here is that of the vectors: its `end` is begin.
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include "actionclip/model/config.h"
#include "actionclip/text/prompt_generator.h"

namespace actionclip {

// How the vectors stand around a label: in the middle, the half of them that is rounded down comes before it.
Placeholders placeholders_of(const LearnedContextConfig& config);

class LearnedContextImpl : public torch::nn::Module {
 public:
  // `width`: of the token embeddings. The vectors start from N(0, 0.02).
  LearnedContextImpl(const LearnedContextConfig& config, std::int64_t width);

  // token_embeddings [N, L, width], positions [N, M] int64 -> the same with vector m of a text at its
  // position m. label_ids [N] int64 (all on the vectors' device) choose the vectors of class-specific
  // contexts; shared ones do not look at them.
  at::Tensor forward(const at::Tensor& token_embeddings, const at::Tensor& positions,
                     const at::Tensor& label_ids);

  // Starts from the embeddings `table` [vocabulary, width] of M tokens; class-specific contexts from the same
  // for each label.
  void start_from(const at::Tensor& table, const std::vector<std::int64_t>& tokens);

  at::Tensor vectors;  // shared [M, width], class-specific [C, M, width]
};
TORCH_MODULE(LearnedContext);

}  // namespace actionclip
