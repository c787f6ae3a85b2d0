// From the sections of an experiment to the objects that training and evaluation share.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "actionclip/model/action_clip.h"
#include "actionclip/text/labels.h"
#include "actionclip/text/prompt_generator.h"
#include "actionclip/train/experiment.h"
#include "actionclip/video/dataset.h"
#include "actionclip/weights/preprocessing.h"

namespace actionclip {

// Keys of a native weights file's metadata, beside kLabelsKey: JSON lists of the templates and, where there
// were some, the descriptions (a list of each label's) that a model was trained with.
inline constexpr std::string_view kTemplatesKey = "actionclip.templates";
inline constexpr std::string_view kDescriptionsKey = "actionclip.descriptions";

// How the clips of a split are cut: `frames` of `image_size` pixels (unless data.transforms.input_size says
// otherwise), of videos with labels of `classes` (captions: 0). Erased pixels get the mean that model.mean
// gives, else CLIP's; weights may have another (input_statistics()).
ClipDatasetOptions clip_options(const Experiment& experiment, std::int64_t image_size, std::int64_t frames,
                                std::int64_t classes);

// What a model takes from the colours of its input.
InputStatistics input_statistics(const ActionClipConfig& model);

// Labels, or their descriptions, in the templates that the settings name (none: the label alone), or labels
// among the placeholders of the model's learned context, which does without templates.
PromptGenerator make_prompt_generator(const TextConfig& config, std::shared_ptr<const Tokenizer> tokenizer,
                                      const LabelSet& labels, const ActionClipConfig& model);

// The model that a run of the experiment on `labels` starts from: build_model()'s, a fresh context from the
// words that the settings name. Throws ConfigError unless they are as many tokens as the context has vectors.
ActionClip start_model(const Experiment& experiment, const Tokenizer& tokenizer,
                       const std::vector<std::string>& labels);

// Throws Error if the weights have a class-specific context and name other labels, or in another order: each
// would get another's vectors.
void require_labels_of_context(const LoadedWeights& weights, const LabelSet& labels);

// Throws Error that names the captions (list and line) of more than `context_length` tokens.
void require_captions_fit(const VideoList& list, const Tokenizer& tokenizer, std::int64_t context_length);

// How the clips and texts of the experiment are prepared, for the metadata of its checkpoints.
Preprocessing preprocessing_of(const Experiment& experiment, const Tokenizer& tokenizer,
                               std::int64_t image_size);

// Throws Error if the weights end in a linear classifier of other labels than `labels`: their names, where
// the weights tell them, else how many there are.
void require_classified(const LoadedWeights& weights, const LabelSet& labels);

// All prompts, as the classifier takes them: tokens [P, C, L]; with a learned context, placeholders [C, M]
// and label ids [C].
TextInput text_input(const PromptGenerator& prompts);

}  // namespace actionclip
