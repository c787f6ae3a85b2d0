// Average precision of videos that can have several labels: a class ranks all videos by its score.
// Torch-free.
//
// AP = sum over thresholds of (recall_n - recall_(n-1)) * precision_n, where videos of equal scores share a
// threshold: what scikit-learn's average_precision_score computes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "actionclip/eval/bootstrap.h"
#include "actionclip/eval/video_scores.h"

namespace actionclip {

// The videos in the order in which one class ranks them.
class ClassRanking {
 public:
  // scores [N]; a NaN, as of a failed video, ranks behind all others. is_positive [N]: whether the video has
  // the class' label.
  ClassRanking(std::span<const float> scores, std::span<const std::uint8_t> is_positive);

  std::int64_t positives() const { return positives_; }

  // 0..1; NaN of a class without a positive.
  double average_precision() const;

  // The same in draws of the videos: adds it to `sums`, and 1 to `classes`, where a draw has a positive.
  void add_drawn(DrawCounts counts, DrawnValues& sums, DrawnValues& classes) const;

 private:
  struct RankedVideo {
    std::uint32_t index : 30;
    std::uint32_t is_positive : 1;
    std::uint32_t ends_threshold : 1;  // the next one has another score
  };

  std::vector<RankedVideo> videos_;  // up to the last threshold that has a positive
  std::int64_t positives_ = 0;
};

// A ranking a class.
std::vector<ClassRanking> rank_videos(const VideoScores& scores);

// The mean over the classes that have a positive, 0..1; 0 if none has.
double mean_average_precision(std::span<const ClassRanking> classes);

}  // namespace actionclip
