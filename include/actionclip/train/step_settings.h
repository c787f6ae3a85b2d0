// What the costs of a training step (model/cost.h) depend on, from the settings of an experiment.
#pragma once

#include <cstdint>

#include "actionclip/model/config.h"
#include "actionclip/model/cost.h"
#include "actionclip/train/experiment.h"

namespace actionclip {

// Tokens of the longest of a batch of label sentences in templates, start and end included.
inline constexpr std::int64_t kUsualTextLength = 16;

// Whether a step compares videos with the texts of all labels; else, of the contrastive batch, or none.
bool compares_all_classes(const Experiment& experiment);

// Tokens of a batch's longest text: the usual ones and those of the learned context, at most what `sizes`
// takes.
std::int64_t usual_text_length(const ActionClipConfig& sizes);

// A step of the experiment by `ranks` ranks with texts of `text_length` tokens. `labels`: of the label set;
// looked at where compares_all_classes().
StepSettings step_settings(const Experiment& experiment, const ActionClipConfig& sizes, std::int64_t ranks,
                           std::int64_t text_length, std::int64_t labels);

}  // namespace actionclip
