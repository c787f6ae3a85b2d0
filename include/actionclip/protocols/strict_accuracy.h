// Accuracy without the labels that a model was trained on. Torch-free.
#pragma once

#include <cstdint>
#include <optional>
#include <set>

#include "actionclip/eval/video_scores.h"

namespace actionclip {

// In percent, of the videos whose label is none of those left out; failed ones count as wrong. None where no
// video, or no label, is left.
struct StrictAccuracy {
  std::int64_t videos = 0;
  std::int64_t labels = 0;                           // that are left
  std::optional<double> top1, top5;                  // ranked among all labels
  std::optional<double> top1_of_left, top5_of_left;  // ranked among the labels that are left
};

// `left_out`: label ids. Throws std::invalid_argument for scores of several labels a video, and for ids that
// the scores do not have.
StrictAccuracy strict_accuracy(const VideoScores& scores, const std::set<std::int64_t>& left_out);

}  // namespace actionclip
