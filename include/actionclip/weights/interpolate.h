// Between a fine-tuned model and the one that it started from: robust fine-tuning of zero-shot models
// (WiSE-FT, Wortsman et al. 2022; for video Open-VCLIP, Weng et al. 2023).
#pragma once

#include <string>
#include <vector>

#include "actionclip/weights/state_dict.h"

namespace actionclip {

// The tensors of a fine-tuned model, by name.
struct InterpolatedNames {
  std::vector<std::string> mixed;
  std::vector<std::string> kept;  // as they were fine-tuned
};

// Resizes the positions of the image encoder of `pretrained` where the fine-tuned model has another
// resolution or number of frames, as build_model() did when the fine-tuning started.
void fit_pretrained(const LoadedWeights& finetuned, LoadedWeights& pretrained);

// Mixed are the encoders and logit_scale, as far as `pretrained` has them. Kept are the rest: the fusion
// head, learned context and the classifier, which a pre-trained CLIP lacks (and which after image-text
// pre-training have learnt nothing), what else is new in the fine-tuned encoders, and counters. Throws
// WeightsError, which names both files and the sizes that differ, else the tensors, if nothing is shared, a
// shared tensor has another shape, an encoder of `pretrained` has tensors that the fine-tuned one lacks, or
// both files say how to use them and differ in that (heads, activation, end token, mean, std).
InterpolatedNames interpolated_names(const LoadedWeights& finetuned, const LoadedWeights& pretrained);

// The weights pretrained_weight * pretrained + (1 - pretrained_weight) * finetuned, in fp32; all else is the
// fine-tuned model's. 0 and 1 give the values of the one and the other exactly. Throws WeightsError as
// interpolated_names() does, Error for a pretrained_weight outside [0, 1].
LoadedWeights interpolate(const LoadedWeights& finetuned, const LoadedWeights& pretrained,
                          double pretrained_weight);

}  // namespace actionclip
