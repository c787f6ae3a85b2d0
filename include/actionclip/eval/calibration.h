// Whether probabilities are what they say: of videos that a model gives 70 %, 70 % should be right (Guo et
// al., On Calibration of Modern Neural Networks, 2017). Of videos of one label each. Torch-free.
#pragma once

#include <optional>

#include "actionclip/eval/video_scores.h"

namespace actionclip {

// Expected calibration error, percent: the mean over the videos, by 15 bins of equal width of the top label's
// probability, of the distance between a bin's accuracy and its mean probability. A bin includes its upper
// end. Failed videos are left out; none if there are no others, or the list is a multi-label one.
std::optional<double> calibration_error(const VideoScores& scores);

// The temperature T, in 0.01..100, for which softmax(log(p) / T) has the smallest loss on `scores`, those of
// a dev split: above 1, the model was too sure. Failed videos are left out. Throws Error if there are no
// others, or for a multi-label list.
double fit_temperature(const VideoScores& scores);

// softmax(log(p) / T) of every row: the order within a row stays. `temperature` must be above 0.
VideoScores with_temperature(VideoScores scores, double temperature);

}  // namespace actionclip
