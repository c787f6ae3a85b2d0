// The figures of a split's scores, with 95 % intervals. Torch-free.
//
// Of videos of one label: "top1", "top5" and "mean_class_accuracy" (top-1 of each class, averaged over those
// that have a video). Of a multi-label list: "map" (average_precision.h, over the classes that have a
// positive). A failed video counts as wrong, and ranks behind all others.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "actionclip/eval/bootstrap.h"
#include "actionclip/eval/metrics.h"
#include "actionclip/eval/video_scores.h"

namespace actionclip {

struct Figure {
  std::string name;  // "top1", ...
  double percent = 0;
  Interval interval;  // 95 %, over draws of the videos (bootstrap.h); percent
};

// "top-1 (%)" of "top1", for tables.
std::string title_of(const Figure& figure);

// The first is the one that models are chosen by.
std::vector<Figure> figures_of(const VideoScores& scores);

// What `second` has more than `first`, in percentage points, and the interval of that over the same draws of
// the videos. Throws Error unless both are of the same videos and labels (require_same_videos()).
std::vector<Figure> figure_differences(const VideoScores& first, const VideoScores& second);

// Whether a difference's interval lies on one side of 0.
bool is_more_than_chance(const Figure& difference);

// Accuracies of videos of one label each; those of a multi-label list count nowhere.
ClassificationMetrics metrics_of(const VideoScores& scores);

// Mean over the videos that have scores of -log(probability), averaged over the video's labels; NaN if there
// is none.
double mean_loss(const VideoScores& scores);

}  // namespace actionclip
