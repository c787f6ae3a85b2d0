#include "class_results.h"

#include <cstdint>

#include <fmt/format.h>

#include "actionclip/eval/class_figures.h"
#include "actionclip/eval/figures.h"

#include "json_values.h"

namespace actionclip::detail {
namespace {

using nlohmann::ordered_json;

std::optional<ConfusionMatrix> confusion_of(const ClassificationMetrics& metrics,
                                            const std::vector<std::string>& labels) {
  ConfusionMatrix matrix{.labels = labels, .cells = {}};
  const auto classes = static_cast<std::int32_t>(labels.size());
  for (std::int32_t truth = 0; truth < classes; ++truth) {
    for (std::int32_t predicted = 0; predicted < classes; ++predicted) {
      if (const auto videos = metrics.confusion(truth, predicted); videos > 0)
        matrix.cells.push_back({.truth = truth, .predicted = predicted, .videos = videos});
    }
  }
  if (matrix.cells.empty()) return std::nullopt;
  return matrix;
}

// "Of split1.txt, one of 3 lists of zero-shot."
std::string source_of(const RunRecord& run, const VideoScores& scores) {
  const auto splits = array_at(run.zero_shot, "splits");
  const auto told = scores.origin.find("list");
  std::string list = told != scores.origin.end() ? told->second : "";
  if (list.empty() && !splits.empty()) list = text_at(splits.front(), "list");
  if (list.empty()) list = "the first list";
  if (splits.size() < 2) return fmt::format("Of {}.", list);
  return fmt::format("Of {}, one of {} lists of zero-shot.", list, splits.size());
}

}  // namespace

bool shows_zero_shot(const RunRecord& run) {
  return run.evaluation.is_null() && !run.zero_shot_scores.empty();
}

const VideoScores* shown_scores(const RunRecord& run) {
  if (shows_zero_shot(run)) return &run.zero_shot_scores.front();
  return run.scores ? &*run.scores : nullptr;
}

ClassResults class_results(const RunRecord& run) {
  if (!shows_zero_shot(run)) {
    return {
        .confusion = run.confusion,
        .classes = run.evaluation.is_object() ? run.evaluation.value("per_class", ordered_json()) : nullptr,
        .source = ""};
  }
  const auto& scores = run.zero_shot_scores.front();
  return {.confusion = confusion_of(metrics_of(scores), scores.labels),
          .classes = class_figures(scores),
          .source = source_of(run, scores)};
}

}  // namespace actionclip::detail
