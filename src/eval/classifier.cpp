#include "actionclip/eval/classifier.h"

#include <utility>
#include <vector>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/einsum.h>
#include <ATen/ops/softmax.h>
#include <fmt/format.h>

#include "actionclip/core/error.h"
#include "actionclip/model/autocast.h"

namespace actionclip {
namespace {

constexpr double kLogitScale = 100;  // the method's scale at test time, whatever logit_scale has learnt

// Else the look-up of the embeddings would fail without a word about why, on a GPU for the whole process.
void require_known_tokens(const at::Tensor& tokens, std::int64_t vocabulary_size) {
  const auto largest = tokens.max().item<std::int64_t>();
  if (largest < vocabulary_size) return;
  throw Error(fmt::format(
      "the prompts hold token {}, but the model's vocabulary has {} entries: it was trained with another "
      "tokeniser",
      largest, vocabulary_size));
}

}  // namespace

Classifier::Classifier(ActionClip model, const at::Tensor& tokens, Precision precision)
    : model_(std::move(model)), precision_(precision) {
  const at::NoGradGuard no_grad;
  const Autocast autocast(device().type(), precision_);
  model_->eval();
  require_known_tokens(tokens, model_->config().text.vocabulary_size);
  std::vector<at::Tensor> templates;
  for (const auto& prompts : tokens.unbind(0))
    templates.push_back(l2_normalize(model_->encode_text(prompts)));
  text_embeddings_ = at::stack(templates);
}

ClassScores Classifier::classify(const at::Tensor& clips, std::int64_t views_at_once) {
  const at::NoGradGuard no_grad;
  model_->eval();
  const auto views = clips.flatten(0, 1);
  std::vector<at::Tensor> features;
  {
    const Autocast autocast(device().type(), precision_);
    for (const auto& some : views.split(views_at_once > 0 ? views_at_once : views.size(0)))
      features.push_back(model_->encode_video(some));
  }
  const auto video = l2_normalize(at::cat(features)).view({clips.size(0), clips.size(1), -1});
  const auto cosine = at::einsum("bvd,pcd->bvpc", {video, text_embeddings_});
  return {at::softmax(kLogitScale * cosine, -1).mean({1, 2}).cpu(), cosine.mean({1, 2}).cpu()};
}

}  // namespace actionclip
