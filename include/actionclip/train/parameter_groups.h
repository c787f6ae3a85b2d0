// The parameters that learn, in groups that share a learning rate: the method's three (image side, text side,
// fusion head), the learned context and the classifier, each with its ratio.
#pragma once

#include <vector>

#include "actionclip/model/action_clip.h"
#include "actionclip/train/config.h"
#include "actionclip/train/optimizer.h"

namespace actionclip {

// Freezes what `config` does not train (trained_parts()), and returns the rest: the groups "text", "image",
// "fusion", "context" and "classifier". No graph is built below the first layer that learns, but that the
// gradient of a learned context passes through a frozen text encoder.
//
// With layer_decay d < 1 each encoder is split by layer (layer_of()), "image.layer0" and so on, as BEiT's
// fine-tuning does (Bao et al. 2022): of L blocks, layer i learns at d^(L + 1 - i) of the encoder's own rate.
// What follows the blocks, and logit_scale, thus learn at the whole of it, the embeddings at d^(L + 1).
std::vector<ParameterGroup> trainable_groups(ActionClip& model, const TrainConfig& config, bool fix_text);

}  // namespace actionclip
