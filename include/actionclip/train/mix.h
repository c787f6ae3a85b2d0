// Mixup (Zhang et al. 2018) and cutmix (Yun et al. 2019) of the clips of a batch, with their targets.
//
// Who is mixed with whom: the rows of a batch hold R clips of a video side by side (repeated augmentation,
// else R = 1), and each two videos that follow each other are partners: rows 2Rk + r and 2Rk + R + r. The
// order of an epoch is shuffled, so these are random pairs. Pairs lie within blocks of 2R rows, and a rank
// has whole blocks, so that a row's partner is the same for any number of ranks, and never on another one.
// torchvision takes the row before as the partner, whose first row needs the last one, of another rank.
//
// Clips are mixed as bytes, on their device, before they are scaled and normalised: a quarter of the memory
// of floats, and the one way of bytes into the model. Mixup rounds to the nearest of the 255 steps, an error
// of at most half a step; cutmix copies.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "actionclip/train/learner.h"
#include "actionclip/train/mix_choice.h"

namespace actionclip {

// Throws Error (train.mix, with the numbers) unless `rows` of a rank's part of a batch are whole blocks of
// 2 * repeats.
void require_partners(std::int64_t rows, std::int64_t repeats);

// clips [N, ..., H, W], uint8 or floating point -> the same, mixed by `choice`. Throws as require_partners().
at::Tensor mix_clips(const at::Tensor& clips, const MixChoice& choice, std::int64_t repeats);

// targets [N, C], floating point -> share * own + (1 - share) * partner's. Throws as require_partners().
at::Tensor mix_targets(const at::Tensor& targets, const MixChoice& choice, std::int64_t repeats);

// Mixes the clips of a batch, and its targets of `classes` C, which it makes of the labels where there are
// none. Throws as require_partners().
void mix(TrainBatch& batch, const MixChoice& choice, std::int64_t repeats, std::int64_t classes);

}  // namespace actionclip
