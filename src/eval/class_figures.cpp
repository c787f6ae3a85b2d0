#include "actionclip/eval/class_figures.h"

#include <cstddef>
#include <cstdint>
#include <vector>

#include <nlohmann/json.hpp>

#include "actionclip/eval/average_precision.h"
#include "actionclip/eval/figures.h"

namespace actionclip {
namespace {

nlohmann::ordered_json class_precisions(const VideoScores& scores) {
  std::vector<std::int64_t> failed(scores.labels.size());
  for (const auto& video : scores.videos) {
    if (video.failure.empty()) continue;
    for (const auto id : video.label_ids) ++failed[static_cast<std::size_t>(id)];
  }
  auto classes = nlohmann::ordered_json::array();
  const auto rankings = rank_videos(scores);
  for (std::size_t id = 0; id < rankings.size(); ++id) {
    if (rankings[id].positives() == 0) continue;
    classes.push_back({{"label", scores.labels[id]},
                       {"samples", rankings[id].positives()},
                       {"failed", failed[id]},
                       {"ap", 100 * rankings[id].average_precision()}});
  }
  return classes;
}

}  // namespace

nlohmann::ordered_json class_figures(const VideoScores& scores) {
  if (scores.multi_label) return class_precisions(scores);
  auto classes = nlohmann::ordered_json::array();
  const auto metrics = metrics_of(scores);
  for (std::size_t id = 0; id < scores.labels.size(); ++id) {
    const auto accuracy = metrics.of_class(static_cast<std::int64_t>(id));
    if (accuracy.samples == 0) continue;
    classes.push_back({{"label", scores.labels[id]},
                       {"samples", accuracy.samples},
                       {"failed", accuracy.failed},
                       {"top1", accuracy.top1},
                       {"top5", accuracy.top5}});
  }
  return classes;
}

}  // namespace actionclip
