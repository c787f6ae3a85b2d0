#include "class_results.h"

#include <cmath>
#include <cstdint>

#include <fmt/format.h>

#include "actionclip/eval/average_precision.h"
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

ordered_json accuracies_of(const ClassificationMetrics& metrics, const std::vector<std::string>& labels) {
  auto classes = ordered_json::array();
  for (std::size_t id = 0; id < labels.size(); ++id) {
    const auto accuracy = metrics.of_class(static_cast<std::int64_t>(id));
    if (accuracy.samples == 0) continue;
    classes.push_back({{"label", labels[id]},
                       {"samples", accuracy.samples},
                       {"failed", accuracy.failed},
                       {"top1", accuracy.top1},
                       {"top5", accuracy.top5}});
  }
  return classes;
}

// Of the classes that a video has.
ordered_json precisions_of(const VideoScores& scores) {
  auto classes = ordered_json::array();
  const auto rankings = rank_videos(scores);
  std::vector<std::int64_t> failed(scores.labels.size());
  for (const auto& video : scores.videos) {
    if (video.failure.empty()) continue;
    for (const auto id : video.label_ids) ++failed[static_cast<std::size_t>(id)];
  }
  for (std::size_t id = 0; id < rankings.size(); ++id) {
    if (rankings[id].positives() == 0) continue;
    classes.push_back({{"label", scores.labels[id]},
                       {"samples", rankings[id].positives()},
                       {"failed", failed[id]},
                       {"ap", 100 * rankings[id].average_precision()}});
  }
  return classes;
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
  if (scores.multi_label)
    return {.confusion = std::nullopt, .classes = precisions_of(scores), .source = source_of(run, scores)};
  const auto metrics = metrics_of(scores);
  return {.confusion = confusion_of(metrics, scores.labels),
          .classes = accuracies_of(metrics, scores.labels),
          .source = source_of(run, scores)};
}

}  // namespace actionclip::detail
