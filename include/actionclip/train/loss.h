// The losses: the contrastive one of ActionCLIP (section 3.1) and CLIP, and cross-entropy over all classes.
#pragma once

#include <ATen/core/Tensor.h>

#include "actionclip/distributed/process_group.h"
#include "actionclip/train/config.h"

namespace actionclip {

// Target distributions [N, B] for the rows first_row .. first_row + N - 1 of the similarity matrix of a
// batch; label_ids [B] (ignored for `identity`).
at::Tensor contrastive_target(const at::Tensor& label_ids, LossTarget target, std::int64_t first_row,
                              std::int64_t rows);

// Symmetric KL divergence, mean over the rows of this rank, between the targets and the softmax of
// scale * v t^T over its rows (video to text) and columns (text to video): (KL_v + KL_t) / 2. With identity
// targets this is CLIP's InfoNCE. The mean over the ranks is the loss of the whole batch (process_group.h).
//   video_features, text_features [N, D]: any scale, normalised here in fp32
//   logit_scale: scalar, natural logarithm; label_ids [N] int64
//   group: the ranks whose N rows each make the batch, B = world_size * N; memory grows with N * B
at::Tensor contrastive_loss(const at::Tensor& video_features, const at::Tensor& text_features,
                            const at::Tensor& logit_scale, const at::Tensor& label_ids, LossTarget target,
                            ProcessGroup& group);

// Logits [N, C] of videos for classes by their texts, as ViFi-CLIP trains: exp(logit_scale) v t^T.
//   video_features [N, D], class_features [C, D]: any scale, normalised here in fp32
at::Tensor class_logits(const at::Tensor& video_features, const at::Tensor& class_features,
                        const at::Tensor& logit_scale);

// Softmax cross-entropy, mean over the rows of this rank. The ranks need not speak to each other: the mean of
// theirs is the loss of the whole batch (process_group.h).
//   logits [N, C]; label_ids [N] int64
//   label_smoothing: this share of the target is spread over all C classes alike (Szegedy et al. 2016)
at::Tensor classification_loss(const at::Tensor& logits, const at::Tensor& label_ids, double label_smoothing);

}  // namespace actionclip
