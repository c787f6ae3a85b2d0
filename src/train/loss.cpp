#include "actionclip/train/loss.h"

#include <cmath>

#include <ATen/core/Reduction.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/xlogy.h>

#include "actionclip/core/error.h"
#include "actionclip/model/action_clip.h"

namespace actionclip {
namespace {

constexpr double kTargetSharpness = 10;  // the published code's softmax(10 G)

// sum over the row of target * (log target - log softmax(logits)), mean over the rows.
at::Tensor kl_divergence(const at::Tensor& target, const at::Tensor& logits) {
  const auto terms = at::xlogy(target, target) - target * at::log_softmax(logits, -1);
  return terms.sum(-1).mean();
}

// What a softmax makes of 10 G before it divides by the sum, for G of 0 and 1; for G between them, what lies
// between in the same measure.
at::Tensor interpolated_exponential(const at::Tensor& positives) {
  const double least = std::exp(-kTargetSharpness);
  return (1 - positives) * least + positives;
}

}  // namespace

at::Tensor contrastive_target(const at::Tensor& label_ids, LossTarget target, std::int64_t first_row,
                              std::int64_t rows) {
  const auto same_label = [&] {
    const auto own = label_ids.narrow(0, first_row, rows).unsqueeze(1);
    return (own == label_ids.unsqueeze(0)).to(at::kFloat);
  };
  switch (target) {
    case LossTarget::softmax:
      return at::softmax(kTargetSharpness * same_label(), -1);
    case LossTarget::normalized:
      return positives_to_target(same_label(), target);
    case LossTarget::identity: {
      const auto own = at::arange(first_row, first_row + rows, label_ids.options()).unsqueeze(1);
      return (own == at::arange(label_ids.size(0), label_ids.options())).to(at::kFloat);
    }
  }
  throw Error("unknown loss target");
}

at::Tensor positives_to_target(const at::Tensor& positives, LossTarget target) {
  if (target == LossTarget::identity)
    throw Error("train.target: identity makes each video its own only positive, whatever its labels");
  const auto weights = target == LossTarget::softmax ? interpolated_exponential(positives) : positives;
  return weights / weights.sum(-1, /*keepdim=*/true);
}

at::Tensor contrastive_loss(const at::Tensor& video_features, const at::Tensor& text_features,
                            const at::Tensor& logit_scale, const BatchLabels& labels, LossTarget target,
                            ProcessGroup& group) {
  const auto video = l2_normalize(video_features);
  const auto text = l2_normalize(text_features);
  const auto scale = logit_scale.exp();
  const auto video_to_text = scale * at::matmul(video, group.gather(text).t());
  const auto text_to_video = scale * at::matmul(text, group.gather(video).t());
  const std::int64_t rows = labels.ids.size(0);
  const auto ids = group.gather(labels.ids);
  if (!labels.targets.defined() || target == LossTarget::identity) {
    const auto targets = contrastive_target(ids, target, group.rank() * rows, rows);
    return (kl_divergence(targets, video_to_text) + kl_divergence(targets, text_to_video)) / 2;
  }
  const auto of_videos = labels.targets.index_select(1, ids);
  const auto of_texts = group.gather(labels.targets).index_select(1, labels.ids).t();
  return (kl_divergence(positives_to_target(of_videos, target), video_to_text) +
          kl_divergence(positives_to_target(of_texts, target), text_to_video)) /
         2;
}

at::Tensor class_logits(const at::Tensor& video_features, const at::Tensor& class_features,
                        const at::Tensor& logit_scale) {
  return logit_scale.exp() * at::matmul(l2_normalize(video_features), l2_normalize(class_features).t());
}

at::Tensor classification_loss(const at::Tensor& logits, const BatchLabels& labels, double label_smoothing) {
  constexpr std::int64_t kNoneIgnored = -100;  // never a label id
  return at::cross_entropy_loss(logits, labels.targets.defined() ? labels.targets : labels.ids, /*weight=*/{},
                                at::Reduction::Mean, kNoneIgnored, label_smoothing);
}

}  // namespace actionclip
