// Ranked labels for single videos: what `actionclip predict` prints.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "actionclip/eval/classifier.h"

namespace actionclip {

struct RankedLabel {
  std::string label;
  double probability = 0;  // mean over templates of softmax(100 * cosine)
  double similarity = 0;   // mean over templates of the cosine; a linear classifier's logit
};

struct Prediction {
  std::string video;                     // as given
  std::vector<RankedLabel> predictions;  // all labels, most probable first; empty if it failed
  std::string error;                     // why it failed
};

// Classifies one video file, image or frame folder by its T test frames, as evaluate() does with one view:
// short side to `test_resize`, centre crop. A video that cannot be decoded, or whose scores are not finite,
// gives `error`.
Prediction predict(Classifier& classifier, const std::vector<std::string>& labels,
                   const ActionClipConfig& model, std::int64_t test_resize,
                   const std::filesystem::path& video);

nlohmann::ordered_json to_json(const Prediction& prediction);

}  // namespace actionclip
