// The parameters that learn, in the method's three groups (image side, text side, fusion head), each with its
// learning-rate ratio.
#pragma once

#include <vector>

#include "actionclip/model/action_clip.h"
#include "actionclip/train/config.h"
#include "actionclip/train/optimizer.h"

namespace actionclip {

// Freezes what the task does not train (prompt: both towers; pretrain: the fusion head, which stills do not
// pass; fix_text: the text encoder), so that no graph is built there, and returns the rest. logit_scale
// learns with the text side, also where fix_text freezes the encoder; not in the prompt stage.
std::vector<ParameterGroup> trainable_groups(ActionClip& model, const TrainConfig& config, bool fix_text);

}  // namespace actionclip
