// Which labels of a zero-shot test the model was trained on, and its accuracy without them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "actionclip/protocols/label_overlap.h"
#include "actionclip/protocols/strict_accuracy.h"
#include "actionclip/text/labels.h"

#include "tools/evaluation.h"

namespace actionclip {

inline constexpr double kNearSimilarity = 0.9;

struct LabelOverlap {
  double threshold = kNearSimilarity;  // of `near`
  std::vector<LabelPair> same, near;
  std::vector<std::string> same_names, near_names;  // of the training labels, in the order of the pairs
};

// The labels that the model was trained on: those of `file`, else those that the weights name; none if
// neither tells.
std::optional<LabelSet> find_trained(const std::string& file, const LoadedWeights& weights);

// near: by the embeddings of the names alone; none of a model that has none.
LabelOverlap find_overlap(const SplitScorer& scorer, const LabelSet& labels, const LabelSet& trained,
                          double threshold);

// Of a report with scores of one label a video; none of others.
std::optional<StrictAccuracy> strict_accuracy(const EvaluationReport& report, const LabelOverlap& overlap);

// {"same": [{"label", "trained"}], "near": [{"label", "trained", "similarity"}], "near_similarity"}.
nlohmann::ordered_json to_json(const LabelOverlap& overlap, const LabelSet& labels);

// {"videos", "labels", "top1", "top5", "top1_of_left", "top5_of_left"}; percent, null where nothing is left.
nlohmann::ordered_json to_json(const StrictAccuracy& accuracy);

// The labels that were trained on, all of them, and those that are nearest to such; "" if there are none.
std::string to_text(const LabelOverlap& overlap, const LabelSet& labels);

// "without the 19 labels trained on: ...".
std::string to_text(const StrictAccuracy& accuracy, const LabelOverlap& overlap);

}  // namespace actionclip
