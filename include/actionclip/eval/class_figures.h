// How well each class is recognised, out of a split's scores. Torch-free.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "actionclip/eval/video_scores.h"

namespace actionclip {

// Of the classes that a video has, by label id: [{"label", "samples", "failed" (of the samples), "top1",
// "top5"}], or of a multi-label list "ap" in the place of the last two. Percent; a failed video counts as
// wrong, and ranks behind all others.
nlohmann::ordered_json class_figures(const VideoScores& scores);

}  // namespace actionclip
