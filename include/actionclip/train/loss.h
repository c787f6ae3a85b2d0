// The losses: the contrastive one of ActionCLIP (section 3.1) and CLIP, and cross-entropy over all classes.
#pragma once

#include <cstdint>
#include <utility>

#include <ATen/core/Tensor.h>

#include "actionclip/distributed/process_group.h"
#include "actionclip/train/config.h"

namespace actionclip {

// What N videos show.
struct BatchLabels {
  BatchLabels(at::Tensor ids, at::Tensor targets = {}) : ids(std::move(ids)), targets(std::move(targets)) {}

  at::Tensor ids;  // [N] int64: of the texts that stand beside the videos
  // [N, C] float: how much of each class a video shows; a row sums up to 1. A video of k labels has 1/k at
  // each, a mixed one a share of both of its parts. Undefined, on all ranks alike: `ids` say it all.
  at::Tensor targets;
};

// Target distributions [N, B] for the rows first_row .. first_row + N - 1 of the similarity matrix of a
// batch; label_ids [B] (ignored for `identity`).
at::Tensor contrastive_target(const at::Tensor& label_ids, LossTarget target, std::int64_t first_row,
                              std::int64_t rows);

// The same where being positive is a matter of degree: of `positives` [N, B], G in [0, 1].
//   normalized  G divided by its row sum
//   softmax     1 - G + e^10 G, divided by its row sum: e^(10 G) where G is 0 or 1, and between them in the
//               same measure, so that a video that is 70 % of one class and 30 % of another has targets of 7
//               to 3. (Of e^7 and e^3 the smaller part would be 2 %.)
// With G of zeros and ones both are what contrastive_target() gives. Throws Error for `identity`.
at::Tensor positives_to_target(const at::Tensor& positives, LossTarget target);

// Symmetric KL divergence, mean over the rows of this rank, between the targets and the softmax of
// scale * v t^T over its rows (video to text) and columns (text to video): (KL_v + KL_t) / 2. With identity
// targets this is CLIP's InfoNCE. The mean over the ranks is the loss of the whole batch (process_group.h).
//   video_features, text_features [N, D]: any scale, normalised here in fp32
//   logit_scale: scalar, natural logarithm
//   labels: with targets, text j is positive for video i in the measure of targets[i][ids[j]], and video i
//     for text j in the same; identity leaves them out
//   group: the ranks whose N rows each make the batch, B = world_size * N; memory grows with N * B
at::Tensor contrastive_loss(const at::Tensor& video_features, const at::Tensor& text_features,
                            const at::Tensor& logit_scale, const BatchLabels& labels, LossTarget target,
                            ProcessGroup& group);

// Logits [N, C] of videos for classes by their texts, as ViFi-CLIP trains: exp(logit_scale) v t^T.
//   video_features [N, D], class_features [C, D]: any scale, normalised here in fp32
at::Tensor class_logits(const at::Tensor& video_features, const at::Tensor& class_features,
                        const at::Tensor& logit_scale);

// Softmax cross-entropy, mean over the rows of this rank. The ranks need not speak to each other: the mean of
// theirs is the loss of the whole batch (process_group.h).
//   logits [N, C]
//   labels: with targets, these are the target distribution
//   label_smoothing: this share of the target is spread over all C classes alike (Szegedy et al. 2016)
at::Tensor classification_loss(const at::Tensor& logits, const BatchLabels& labels, double label_smoothing);

}  // namespace actionclip
