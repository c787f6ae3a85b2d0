// Computes what a prediction rests on: similarities over time, the frames' parts in the decision, and where
// the image encoder looks.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "actionclip/eval/classifier.h"
#include "actionclip/eval/explanation.h"
#include "actionclip/eval/prediction.h"

namespace actionclip {

struct ExplainedPrediction {
  Prediction prediction;  // as predict() gives it
  // Nothing of what follows if it failed.
  Explanation explanation;
  TestClip clip;
  at::Tensor attention;  // [T, G, G]: ActionClip::attention_maps() of the clip
};

// As predict(), with the reasons; computed in fp32, whatever the classifier's precision. Takes about three
// times as long.
ExplainedPrediction explain(Classifier& classifier, const std::vector<std::string>& labels,
                            std::int64_t test_resize, const std::filesystem::path& video);

}  // namespace actionclip
