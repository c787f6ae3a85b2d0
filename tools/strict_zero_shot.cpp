#include "tools/strict_zero_shot.h"

#include <algorithm>
#include <cstddef>
#include <set>
#include <span>

#include <ATen/ops/matmul.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "actionclip/weights/preprocessing.h"

#include "src/weights/tensor_bounds.h"

namespace actionclip {
namespace {

constexpr std::size_t kShownNear = 10;

std::vector<std::string> trained_names(const std::vector<LabelPair>& pairs, const LabelSet& trained) {
  std::vector<std::string> names;
  for (const auto& pair : pairs) names.push_back(trained.name(pair.trained_id));
  return names;
}

std::set<std::int64_t> ids_of(const std::vector<LabelPair>& pairs) {
  std::set<std::int64_t> ids;
  for (const auto& pair : pairs) ids.insert(pair.label_id);
  return ids;
}

nlohmann::ordered_json or_null(const std::optional<double>& figure) {
  return figure ? nlohmann::ordered_json(*figure) : nullptr;
}

std::string percent(const std::optional<double>& figure) {
  return figure ? fmt::format("{:.2f}", *figure) : "none";
}

}  // namespace

std::optional<LabelSet> find_trained(const std::string& file, const LoadedWeights& weights) {
  if (!file.empty()) return read_labels(file);
  auto names = read_text_list(weights, std::string(kLabelsKey));
  if (names.empty()) return std::nullopt;
  return LabelSet(std::move(names), {}, "the labels of the weights");
}

LabelOverlap find_overlap(const SplitScorer& scorer, const LabelSet& labels, const LabelSet& trained,
                          double threshold) {
  LabelOverlap overlap{.threshold = threshold, .same = same_labels(labels, trained)};
  overlap.same_names = trained_names(overlap.same, trained);
  // Where every label was trained on, there is none left that could be near to one.
  if (static_cast<std::int64_t>(overlap.same.size()) == labels.size()) return overlap;
  const auto own = scorer.embed_names(labels), others = scorer.embed_names(trained);
  if (!own || !others) return overlap;
  const auto similarities = at::matmul(*own, others->t()).contiguous();
  overlap.near =
      near_labels({similarities.const_data_ptr<float>(), static_cast<std::size_t>(similarities.numel())},
                  labels, trained, overlap.same, threshold);
  overlap.near_names = trained_names(overlap.near, trained);
  return overlap;
}

std::optional<StrictAccuracy> strict_accuracy(const EvaluationReport& report, const LabelOverlap& overlap) {
  if (report.scores.multi_label) return std::nullopt;
  return strict_accuracy(report.scores, ids_of(overlap.same));
}

nlohmann::ordered_json to_json(const LabelOverlap& overlap, const LabelSet& labels) {
  auto same = nlohmann::ordered_json::array(), near = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < overlap.same.size(); ++i) {
    same.push_back({{"label", labels.name(overlap.same[i].label_id)}, {"trained", overlap.same_names[i]}});
  }
  for (std::size_t i = 0; i < overlap.near.size(); ++i) {
    near.push_back({{"label", labels.name(overlap.near[i].label_id)},
                    {"trained", overlap.near_names[i]},
                    {"similarity", overlap.near[i].similarity}});
  }
  return {{"same", same}, {"near", near}, {"near_similarity", overlap.threshold}};
}

nlohmann::ordered_json to_json(const StrictAccuracy& accuracy) {
  return {{"videos", accuracy.videos},
          {"labels", accuracy.labels},
          {"top1", or_null(accuracy.top1)},
          {"top5", or_null(accuracy.top5)},
          {"top1_of_left", or_null(accuracy.top1_of_left)},
          {"top5_of_left", or_null(accuracy.top5_of_left)}};
}

// Names of the weights' metadata may hold what controls a terminal.
std::string to_text(const LabelOverlap& overlap, const LabelSet& labels) {
  std::string text;
  if (!overlap.same.empty()) {
    std::vector<std::string> names;
    for (const auto& pair : overlap.same) names.push_back(labels.name(pair.label_id));
    text += fmt::format("  trained on ({}): {}\n", names.size(),
                        on_one_line(fmt::format("{}", fmt::join(names, ", "))));
  }
  const auto shown = std::min(kShownNear, overlap.near.size());
  if (shown > 0) {
    text += fmt::format("  near to a label trained on (cosine of the names at least {}; {} of {}):\n",
                        overlap.threshold, shown, overlap.near.size());
  }
  for (std::size_t i = 0; i < shown; ++i) {
    text +=
        fmt::format("    {:.3f}  {} ~ {}\n", overlap.near[i].similarity,
                    on_one_line(labels.name(overlap.near[i].label_id)), on_one_line(overlap.near_names[i]));
  }
  return text;
}

std::string to_text(const StrictAccuracy& accuracy, const LabelOverlap& overlap) {
  return fmt::format(
      "  without the {} label(s) trained on, {} videos: top-1 {}, top-5 {}; ranked among the {} others "
      "alone: "
      "top-1 {}, top-5 {}\n",
      overlap.same.size(), accuracy.videos, percent(accuracy.top1), percent(accuracy.top5), accuracy.labels,
      percent(accuracy.top1_of_left), percent(accuracy.top5_of_left));
}

}  // namespace actionclip
