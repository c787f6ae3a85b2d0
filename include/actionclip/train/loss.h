// The contrastive loss of ActionCLIP (section 3.1) and CLIP.
#pragma once

#include <ATen/core/Tensor.h>

#include "actionclip/train/config.h"

namespace actionclip {

// Target distributions [B, B] for the rows of a similarity matrix; label_ids [B] (ignored for `identity`).
at::Tensor contrastive_target(const at::Tensor& label_ids, LossTarget target);

// Symmetric KL divergence, batch mean, between the targets and the softmax of scale * v t^T over its rows
// (video to text) and columns (text to video): (KL_v + KL_t) / 2. With identity targets this is CLIP's
// InfoNCE.
//   video_features, text_features [B, D]: any scale, normalised here in fp32
//   logit_scale: scalar, natural logarithm; label_ids [B] int64
// B is the global batch: gather the features of all ranks first.
at::Tensor contrastive_loss(const at::Tensor& video_features, const at::Tensor& text_features,
                            const at::Tensor& logit_scale, const at::Tensor& label_ids, LossTarget target);

}  // namespace actionclip
