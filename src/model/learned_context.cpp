#include "actionclip/model/learned_context.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>
#include <torch/nn/init.h>

namespace actionclip {
namespace {

constexpr double kInitialStd = 0.02;  // CoOp's, as that of CLIP's token embeddings

}  // namespace

Placeholders placeholders_of(const LearnedContextConfig& config) {
  const std::int64_t before = config.position == ContextPosition::begin    ? config.length
                              : config.position == ContextPosition::middle ? config.length / 2
                                                                           : 0;
  return {.before = before, .behind = config.length - before};
}

LearnedContextImpl::LearnedContextImpl(const LearnedContextConfig& config, std::int64_t width) {
  std::vector<std::int64_t> shape = {config.length, width};
  if (config.classes > 0) shape.insert(shape.begin(), config.classes);
  vectors = register_parameter("vectors", at::empty(shape));
  torch::nn::init::normal_(vectors, 0, kInitialStd);
}

at::Tensor LearnedContextImpl::forward(const at::Tensor& token_embeddings, const at::Tensor& positions,
                                       const at::Tensor& label_ids) {
  const std::int64_t texts = token_embeddings.size(0), width = token_embeddings.size(2);
  const std::int64_t length = vectors.size(-2);
  TORCH_CHECK(positions.dim() == 2 && positions.size(0) == texts && positions.size(1) == length,
              "positions of shape ", positions.sizes(), " given, [", texts, ", ", length, "] needed");
  // Looked up as the tokens are, whose gradient is summed in the same order in every run.
  const auto chosen = vectors.dim() == 3
                          ? at::embedding(vectors.flatten(1), label_ids).view({texts, length, width})
                          : vectors.unsqueeze(0).expand({texts, length, width});
  return token_embeddings.scatter(1, positions.unsqueeze(-1).expand({texts, length, width}), chosen);
}

void LearnedContextImpl::start_from(const at::Tensor& table, const std::vector<std::int64_t>& tokens) {
  TORCH_CHECK(static_cast<std::int64_t>(tokens.size()) == vectors.size(-2), tokens.size(),
              " tokens given for ", vectors.size(-2), " vectors");
  const at::NoGradGuard no_grad;
  vectors.copy_(at::embedding(table, at::tensor(tokens, at::kLong).to(table.device())));
}

}  // namespace actionclip
