// Scores of several models on the same videos, mixed to one. Torch-free.
#pragma once

#include <span>

#include "actionclip/eval/video_scores.h"

namespace actionclip {

// Throws Error that says what differs unless both are of the same labels and videos, in the same order.
void require_same_videos(const VideoScores& first, const VideoScores& second);

// The mean of the probabilities, weighted by `ratios` (one each, not negative, and not all 0; they need not
// sum up to 1). A video that failed in one of them has failed. The origin is what all of them share. Throws
// Error unless they are of the same videos and the ratios serve.
VideoScores fuse_scores(std::span<const VideoScores> scores, std::span<const double> ratios);

}  // namespace actionclip
