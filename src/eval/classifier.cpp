#include "actionclip/eval/classifier.h"

#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/einsum.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/stack.h>
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

// [P, C]: 1 for a prompt unlike those of its class before it, 0 for others. tokens [P, C, L].
at::Tensor mark_distinct(const at::Tensor& tokens) {
  const auto rows = tokens.cpu().contiguous();
  const std::int64_t classes = rows.size(1), bytes = rows.size(2) * rows.element_size();
  const auto* data = static_cast<const char*>(rows.const_data_ptr());
  auto marks = at::ones({rows.size(0), classes});
  for (std::int64_t c = 0; c < classes; ++c) {
    std::set<std::string_view> seen;
    for (std::int64_t p = 0; p < rows.size(0); ++p) {
      const std::string_view row(data + (p * classes + c) * bytes, static_cast<std::size_t>(bytes));
      if (!seen.insert(row).second) marks[p][c] = 0;
    }
  }
  return marks;
}

// [1, C, D] of embeddings [P, C, D].
at::Tensor mean_embedding(const at::Tensor& embeddings, const at::Tensor& tokens) {
  const auto marks = mark_distinct(tokens).to(embeddings.device()).unsqueeze(-1);
  return l2_normalize((embeddings * marks).sum(0, /*keepdim=*/true));
}

void require_fitting_context(const LearnedContextConfig& context, const TextInput& prompts) {
  if (context.length == 0) return;
  if (!prompts.placeholders.defined())
    throw Error("the model has a learned context, but its prompts are given without places for it");
  const std::int64_t labels = prompts.tokens.size(1);
  if (context.classes == 0 || context.classes == labels) return;
  throw Error(fmt::format(
      "the weights have a learned context of {} labels, each with its own vectors (class-specific), but {} "
      "labels are given: name those that it was trained with, or train a context that labels share "
      "(model.context.class_specific: false)",
      context.classes, labels));
}

void require_classes(const at::Tensor& tokens, std::int64_t classes) {
  const auto labels = tokens.size(1);
  if (labels == classes) return;
  throw Error(fmt::format(
      "{} labels are given, but the model ends in a linear classifier of {}: it knows the labels that it was "
      "trained on, and no others",
      labels, classes));
}

}  // namespace

Classifier::Classifier(ActionClip model, const TextInput& prompts, Precision precision, Ensemble ensemble)
    : model_(std::move(model)), precision_(precision) {
  model_->eval();
  if (is_linear()) {
    require_classes(prompts.tokens, model_->config().classes);
  } else {
    encode(prompts, ensemble);
  }
}

void Classifier::encode(const TextInput& prompts, Ensemble ensemble) {
  const at::NoGradGuard no_grad;
  const Autocast autocast(device().type(), precision_);
  require_known_tokens(prompts.tokens, model_->config().text.vocabulary_size);
  require_fitting_context(model_->config().context, prompts);
  std::vector<at::Tensor> templates;
  for (const auto& tokens : prompts.tokens.unbind(0)) {
    templates.push_back(l2_normalize(model_->encode_text({tokens, prompts.placeholders, prompts.label_ids})));
  }
  text_embeddings_ = at::stack(templates);
  if (ensemble == Ensemble::mean_embedding)
    text_embeddings_ = mean_embedding(text_embeddings_, prompts.tokens);
}

// [B, V, D], not normalised.
at::Tensor Classifier::video_features(const at::Tensor& clips, std::int64_t views_at_once) {
  const Autocast autocast(device().type(), precision_);
  const auto views = clips.flatten(0, 1);
  std::vector<at::Tensor> features;
  for (const auto& some : views.split(views_at_once > 0 ? views_at_once : views.size(0)))
    features.push_back(model_->encode_video(some));
  return at::cat(features).view({clips.size(0), clips.size(1), -1});
}

ClassScores Classifier::classify(const at::Tensor& clips, std::int64_t views_at_once, ViewAverage average) {
  const at::NoGradGuard no_grad;
  model_->eval();
  const auto video = video_features(clips, views_at_once);
  // [B, V, P, C]; a linear classifier's as those of one prompt.
  const auto similarities = is_linear()
                                ? model_->classifier(video).unsqueeze(2)
                                : at::einsum("bvd,pcd->bvpc", {l2_normalize(video), text_embeddings_});
  const double scale = is_linear() ? 1 : kLogitScale;
  const auto logits = scale * similarities;
  const auto averaged = average == ViewAverage::logits ? logits.mean(1, /*keepdim=*/true) : logits;
  return {at::softmax(averaged, -1).mean({1, 2}).cpu(), similarities.mean({1, 2}).cpu()};
}

}  // namespace actionclip
