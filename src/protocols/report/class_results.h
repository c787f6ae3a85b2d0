// Which split a page shows class by class and video by video, and what it has of it. Torch-free.
#pragma once

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "actionclip/protocols/run_record.h"

namespace actionclip::detail {

// evaluation.json's split or, where there is no such file, the first of zero-shot's that has scores.
struct ClassResults {
  std::optional<ConfusionMatrix> confusion;
  nlohmann::ordered_json classes;  // as evaluation.json has them under "per_class"; null: none
  std::string source;              // a sentence: which split of several; empty of evaluation.json's
};

ClassResults class_results(const RunRecord& run);

// The scores of that split's videos; null: the run has none.
const VideoScores* shown_scores(const RunRecord& run);

// Whether that split is one of zero-shot's.
bool shows_zero_shot(const RunRecord& run);

}  // namespace actionclip::detail
