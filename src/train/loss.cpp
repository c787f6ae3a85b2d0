#include "actionclip/train/loss.h"

#include <ATen/ops/eye.h>
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

}  // namespace

at::Tensor contrastive_target(const at::Tensor& label_ids, LossTarget target) {
  const auto same_label = [&] { return (label_ids.unsqueeze(0) == label_ids.unsqueeze(1)).to(at::kFloat); };
  switch (target) {
    case LossTarget::softmax:
      return at::softmax(kTargetSharpness * same_label(), -1);
    case LossTarget::normalized: {
      const auto positives = same_label();
      return positives / positives.sum(-1, /*keepdim=*/true);
    }
    case LossTarget::identity:
      return at::eye(label_ids.size(0), label_ids.options().dtype(at::kFloat));
  }
  throw Error("unknown loss target");
}

at::Tensor contrastive_loss(const at::Tensor& video_features, const at::Tensor& text_features,
                            const at::Tensor& logit_scale, const at::Tensor& label_ids, LossTarget target) {
  const auto video = l2_normalize(video_features);
  const auto text = l2_normalize(text_features);
  const auto logits = logit_scale.exp() * at::matmul(video, text.t());
  const auto targets = contrastive_target(label_ids, target);
  return (kl_divergence(targets, logits) + kl_divergence(targets, logits.t())) / 2;
}

}  // namespace actionclip
