// Scores every video of a split exactly once.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "actionclip/distributed/process_group.h"
#include "actionclip/eval/classifier.h"
#include "actionclip/eval/config.h"
#include "actionclip/eval/metrics.h"
#include "actionclip/eval/video_scores.h"
#include "actionclip/text/labels.h"
#include "actionclip/video/loader.h"

namespace actionclip {

// A video that could not be decoded, or whose scores are not finite: it counts as wrong.
struct UnscoredVideo {
  std::string path;
  std::string reason;
};

struct EvaluationReport {
  ClassificationMetrics metrics;  // failed videos counted as wrong
  double loss = 0;         // mean of -log(probability of the label) over the others; NaN: there are none
  std::int64_t views = 1;  // a video
  std::map<std::string, double> group_top1;  // percent; by column of EvalConfig::group_by
  std::optional<double> pair_accuracy;       // percent; EvalConfig::pair_by
  // Percent; by column of EvalConfig::group_by, then by the true label's entry in it.
  std::map<std::string, std::map<std::string, double>> pair_accuracy_by;
  std::vector<UnscoredVideo> failed;  // of all ranks, in the list's order
  VideoScores scores;                 // of all ranks' videos; no origin but what the list and settings tell
};

// Throws Error if the label file lacks a column that `config` names, or one of them does not serve: what
// evaluate() would find, before there is a model.
void check_label_columns(const LabelSet& labels, const EvalConfig& config);

// Each rank of `group` scores its share of the videos; the counts are added up, so that all report the same.
// Throws Error if too many videos fail (DataConfig::max_failed_share), as check_label_columns() does, or for
// a list with videos of several labels.
EvaluationReport evaluate(Classifier& classifier, const ClipDataset& videos, const LabelSet& labels,
                          const EvalConfig& config, const DataConfig& data,
                          const std::shared_ptr<ProcessGroup>& group = std::make_shared<SingleProcess>());

// {"top1", "top5" (percent), "samples", "failed", "loss", "views", and "groups", "pairs" and "pairs_by" where
// asked for}.
nlohmann::ordered_json to_json(const EvaluationReport& report);

// The same as an aligned table for people.
std::string to_table(const EvaluationReport& report);

}  // namespace actionclip
