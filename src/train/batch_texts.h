// The texts that a part of a step sets its videos against.
#pragma once

#include <cstdint>

#include "actionclip/model/action_clip.h"
#include "actionclip/text/prompt_generator.h"
#include "actionclip/text/tokenizer.h"
#include "actionclip/train/experiment.h"
#include "actionclip/train/learner.h"
#include "actionclip/train/progress.h"
#include "actionclip/video/loader.h"

namespace actionclip {

struct TextSources {
  const Tokenizer& tokenizer;
  const PromptGenerator* prompts;  // null: captions come with the samples
  const TextInput* class_texts;    // [P, C, L] and, with a learned context, [C, M]; null likewise
  std::int64_t context_length;     // L
};

// Sets the tokens, placeholders and template of `result`: of all classes, in one template drawn for the step
// at hand (cross-entropy), or of each sample, its label in a template drawn for it, or its caption.
void add_texts(const TextSources& sources, const Experiment& experiment, const TrainProgress& progress,
               const Batch& batch, TrainBatch& result);

}  // namespace actionclip
