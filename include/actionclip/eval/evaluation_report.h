// What an evaluation found, for people and programs. Torch-free.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "actionclip/eval/figures.h"
#include "actionclip/eval/metrics.h"
#include "actionclip/eval/video_scores.h"

namespace actionclip {

// A video that could not be decoded, or whose scores are not finite: it counts as wrong.
struct UnscoredVideo {
  std::string path;
  std::string reason;
};

struct EvaluationReport {
  ClassificationMetrics metrics;             // failed videos counted as wrong; of a multi-label list, nothing
  std::vector<Figure> figures;               // figures_of(scores)
  std::optional<double> calibration_error;   // percent; none of a multi-label list, or if all videos failed
  double loss = 0;                           // mean_loss(scores)
  std::optional<std::int64_t> views = 1;     // a video; none: not known
  std::map<std::string, double> group_top1;  // percent; by column of EvalConfig::group_by
  std::optional<double> pair_accuracy;       // percent; EvalConfig::pair_by
  // Percent; by column of EvalConfig::group_by, then by the true label's entry in it.
  std::map<std::string, std::map<std::string, double>> pair_accuracy_by;
  std::vector<UnscoredVideo> failed;  // of all ranks, in the list's order
  VideoScores scores;                 // of all ranks' videos; no origin but what the list and settings tell

  // By which models are compared: top-1, or mAP of a multi-label list.
  const Figure& main_figure() const { return figures.front(); }

  std::int64_t samples() const { return static_cast<std::int64_t>(scores.videos.size()); }
};

// What the scores tell by themselves. Throws std::invalid_argument if there is no video.
EvaluationReport report_of(VideoScores scores);

// {"top1", "top5", "mean_class_accuracy" or "map" (percent), "ece" (percent), "samples", "failed", "loss",
// "views", "intervals" (of each figure [low, high], 95 %), and "groups", "pairs" and "pairs_by" where asked
// for}. No "ece" of a multi-label list; null where all videos failed, as "loss".
nlohmann::ordered_json to_json(const EvaluationReport& report);

// The same as an aligned table for people.
std::string to_table(const EvaluationReport& report);

// "71.24 [69.80, 72.61]", in percent.
std::string with_interval(const Figure& figure);

// {"top1": [low, high], ...}.
nlohmann::ordered_json intervals_json(const std::vector<Figure>& figures);

}  // namespace actionclip
