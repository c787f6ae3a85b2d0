#include "actionclip/eval/classifier.h"

#include <utility>
#include <vector>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/softmax.h>
#include <fmt/format.h>

#include "actionclip/core/error.h"
#include "actionclip/eval/similarity.h"
#include "actionclip/model/autocast.h"

namespace actionclip {
namespace {

// Else the look-up of the embeddings would fail without a word about why, on a GPU for the whole process.
void require_known_tokens(const at::Tensor& tokens, std::int64_t vocabulary_size) {
  const auto largest = tokens.max().item<std::int64_t>();
  if (largest < vocabulary_size) return;
  throw Error(fmt::format(
      "the prompts hold token {}, but the model's vocabulary has {} entries: it was trained with another "
      "tokeniser",
      largest, vocabulary_size));
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

Classifier::Classifier(ActionClip model, const TextInput& prompts, Precision precision, Ensemble ensemble,
                       const TextCache& cache)
    : model_(std::move(model)), precision_(precision) {
  model_->eval();
  if (is_linear()) {
    require_classes(prompts.tokens, model_->config().classes);
  } else {
    encode(prompts, ensemble, cache);
  }
}

void Classifier::encode(const TextInput& prompts, Ensemble ensemble, const TextCache& cache) {
  const at::NoGradGuard no_grad;
  require_known_tokens(prompts.tokens, model_->config().text.vocabulary_size);
  require_fitting_context(model_->config().context, prompts);
  text_embeddings_ = cache.embeddings(model_, prompts, precision_);
  if (ensemble == Ensemble::mean_embedding)
    text_embeddings_ = mean_embedding(text_embeddings_, prompts.tokens);
}

VideoFeatures Classifier::encode_videos(const at::Tensor& clips, std::int64_t views_at_once,
                                        bool keep_frames) {
  const at::NoGradGuard no_grad;
  model_->eval();
  const Autocast autocast(device().type(), precision_);
  const auto views = clips.flatten(0, 1);
  std::vector<at::Tensor> videos, frames;
  for (const auto& some : views.split(views_at_once > 0 ? views_at_once : views.size(0))) {
    const auto frame_features = model_->encode_frames(some);
    if (keep_frames) frames.push_back(frame_features);
    videos.push_back(model_->fusion->forward(frame_features));
  }
  VideoFeatures features{.videos = at::cat(videos).view({clips.size(0), clips.size(1), -1}), .frames = {}};
  if (keep_frames) features.frames = at::cat(frames).unflatten(0, {clips.size(0), clips.size(1)});
  return features;
}

ClassScores Classifier::classify(const at::Tensor& clips, std::int64_t views_at_once, ViewAverage average) {
  return score(encode_videos(clips, views_at_once).videos, average);
}

at::Tensor Classifier::label_directions() {
  return is_linear() ? model_->classifier->weight.detach() : text_embeddings_.mean(0);
}

ClassScores Classifier::score(const at::Tensor& features, ViewAverage average) {
  const at::NoGradGuard no_grad;
  // [B, V, P, C]; a linear classifier's as those of one prompt.
  const auto similarities = is_linear() ? model_->classifier(features).unsqueeze(2)
                                        : cosine_similarities(features, text_embeddings_);
  const double scale = is_linear() ? 1 : kTestLogitScale;
  const auto logits = scale * similarities;
  const auto averaged = average == ViewAverage::logits ? logits.mean(1, /*keepdim=*/true) : logits;
  return {at::softmax(averaged, -1).mean({1, 2}).cpu(), similarities.mean({1, 2}).cpu()};
}

}  // namespace actionclip
