// From the sections of an experiment to the objects that training and evaluation share.
#pragma once

#include <memory>
#include <string_view>

#include <ATen/core/Tensor.h>

#include "actionclip/text/labels.h"
#include "actionclip/text/prompt_generator.h"
#include "actionclip/train/experiment.h"
#include "actionclip/video/dataset.h"
#include "actionclip/weights/preprocessing.h"

namespace actionclip {

// Keys of a native weights file's metadata: JSON lists of the label names and the templates that a model was
// trained with.
inline constexpr std::string_view kLabelsKey = "actionclip.labels";
inline constexpr std::string_view kTemplatesKey = "actionclip.templates";

// How the clips of a split are cut: `frames` of `image_size` pixels (unless data.transforms.input_size says
// otherwise).
ClipDatasetOptions clip_options(const Experiment& experiment, std::int64_t image_size, std::int64_t frames);

// Labels in the templates that the settings name (none: the label alone).
PromptGenerator make_prompt_generator(const TextConfig& config, std::shared_ptr<const Tokenizer> tokenizer,
                                      const LabelSet& labels, std::int64_t context_length);

// Throws Error that names the captions (list and line) of more than `context_length` tokens.
void require_captions_fit(const VideoList& list, const Tokenizer& tokenizer, std::int64_t context_length);

// How the clips and texts of the experiment are prepared, for the metadata of its checkpoints.
Preprocessing preprocessing_of(const Experiment& experiment, const Tokenizer& tokenizer,
                               std::int64_t image_size);

// All prompts as a tensor: int64 [P, C, L].
at::Tensor token_tensor(const PromptGenerator& prompts);

}  // namespace actionclip
