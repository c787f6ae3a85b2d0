#include "actionclip/protocols/feature_heads.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros.h>

#include "actionclip/eval/similarity.h"
#include "actionclip/model/action_clip.h"
#include "actionclip/protocols/linear_probe.h"

namespace actionclip {
namespace {

at::Tensor mean_over_views(const at::Tensor& logits) { return at::softmax(logits, -1).mean(1); }

// [C, D]: sums of the examples' embeddings.
at::Tensor class_sums(const HeadExamples& examples) {
  return at::zeros({examples.classes, examples.embeddings.size(1)})
      .index_add(0, examples.label_ids, examples.embeddings);
}

}  // namespace

FeatureHead nearest_mean_head(const HeadExamples& examples) {
  const auto sums = class_sums(examples);
  const auto missing = (sums == 0).all(1);
  const auto means = l2_normalize(sums).masked_fill(missing.unsqueeze(1), 0);
  return [means, missing](const at::Tensor& embeddings) {
    const auto cosine = at::linear(embeddings, means).masked_fill(missing, -1);
    return mean_over_views(kTestLogitScale * cosine);
  };
}

FeatureHead tip_adapter_head(const HeadExamples& examples, const at::Tensor& text_embeddings,
                             const TipAdapterOptions& options) {
  const auto count = examples.label_ids.size(0);
  auto of_class = at::zeros({examples.classes, count});
  of_class.scatter_(0, examples.label_ids.unsqueeze(0), 1);
  return [keys = examples.embeddings, of_class, text_embeddings, options](const at::Tensor& embeddings) {
    const auto affinities = (options.beta * (at::linear(embeddings, keys) - 1)).exp();
    return mean_over_views(kTestLogitScale * at::linear(embeddings, text_embeddings) +
                           options.alpha * at::linear(affinities, of_class));
  };
}

FeatureHead linear_probe_head(const HeadExamples& examples, double l2) {
  const auto probe = fit_linear_probe(examples.embeddings, examples.label_ids, examples.classes, {.l2 = l2});
  return [probe](const at::Tensor& embeddings) { return mean_over_views(probe.logits(embeddings)); };
}

}  // namespace actionclip
