#include "actionclip/protocols/compare.h"

#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actionclip/config/reader.h"
#include "actionclip/core/error.h"
#include "actionclip/core/statistics.h"
#include "actionclip/train/experiment.h"

#include "json_values.h"

namespace actionclip {
namespace {

using detail::number;
using nlohmann::ordered_json;

// Settings of another version of the program may not be readable any more: then the table does without.
void take_settings(const RunRecord& run, RunSummary& summary) {
  if (run.config.empty()) return;
  try {
    const auto experiment = read_config<Experiment>(parse_yaml(run.config, run.config_name), {""});
    summary.arch = experiment.model.arch;
    summary.frames = experiment.model.frames;
    if (run.config_name != kTrainConfigName) return;  // of what was only scored, training says nothing
    summary.epochs = experiment.train.epochs;
    summary.lr = experiment.train.lr;
  } catch (const Error&) {
    return;
  }
}

// What `evaluate` says, else the last validation.
bool take_evaluation(const RunRecord& run, RunSummary& summary) {
  const bool evaluated = run.evaluation.is_object();
  const auto& figures = evaluated ? run.evaluation : run.last_validation;
  if (!figures.is_object()) return false;
  summary.source = evaluated
                       ? "evaluation.json"
                       : fmt::format("validation of epoch {:.0f}", number(figures, "epoch").value_or(0));
  summary.top1 = number(figures, "top1");
  summary.top5 = number(figures, "top5");
  summary.map = number(figures, "map");
  summary.loss = number(figures, "loss");
  if (const auto interval = detail::interval_at(figures, summary.map ? "map" : "top1"))
    summary.interval = Interval{.low = interval->first, .high = interval->second};
  return true;
}

void take_zero_shot(const ordered_json& zero_shot, RunSummary& summary) {
  const auto splits = detail::array_at(zero_shot, "splits");
  summary.source = fmt::format("zero-shot, {} split(s)", splits.size());
  summary.top1 = number(zero_shot, "top1_mean");
  summary.top5 = number(zero_shot, "top5_mean");
  summary.map = number(zero_shot, "map_mean");
}

// Of the row of the most clips a class; `score`: the member of the row that has its mean, empty: the row has.
void take_shots(const ordered_json& json, const char* name, const char* score, RunSummary& summary) {
  const ordered_json* last = nullptr;
  const auto rows = detail::array_at(json, "rows");
  for (const auto& row : rows) {
    if (row.is_object() &&
        (last == nullptr || number(row, "shots").value_or(0) > number(*last, "shots").value_or(0)))
      last = &row;
  }
  if (last == nullptr) return;
  summary.source = fmt::format("{}, {:.0f} clips a class", name, number(*last, "shots").value_or(0));
  const auto of_score = *score == 0 ? *last : last->value(score, ordered_json::object());
  summary.top1 = number(of_score, "mean");
  if (const auto interval = detail::pair_at(of_score, "interval95"))
    summary.interval = Interval{.low = interval->first, .high = interval->second};
}

void take_figures(const RunRecord& run, RunSummary& summary) {
  if (take_evaluation(run, summary)) return;
  if (run.zero_shot.is_object()) return take_zero_shot(run.zero_shot, summary);
  if (run.few_shot.is_object()) return take_shots(run.few_shot, "few-shot", "", summary);
  if (run.base_to_novel.is_object()) take_shots(run.base_to_novel, "base to novel", "harmonic", summary);
}

template <typename Value>
ordered_json or_null(const std::optional<Value>& value) {
  return value ? ordered_json(*value) : ordered_json();
}

ordered_json interval_json(const std::optional<Interval>& interval) {
  return interval ? ordered_json::array({interval->low, interval->high}) : ordered_json();
}

ordered_json summary_json(const RunSummary& run) {
  return {{"run", run.name},
          {"source", run.source.empty() ? ordered_json() : ordered_json(run.source)},
          {"arch", run.arch.empty() ? ordered_json() : ordered_json(run.arch)},
          {"frames", or_null(run.frames)},
          {"epochs", or_null(run.epochs)},
          {"lr", or_null(run.lr)},
          {"top1", or_null(run.top1)},
          {"top5", or_null(run.top5)},
          {"map", or_null(run.map)},
          {"interval", interval_json(run.interval)},
          {"loss", or_null(run.loss)},
          {"videos_per_second", or_null(run.videos_per_second)}};
}

}  // namespace

RunSummary summarize(const RunRecord& run) {
  RunSummary summary{.name = run_name(run)};
  take_settings(run, summary);
  take_figures(run, summary);
  if (const auto curve = run.curves.find("train/videos_per_second"); curve != run.curves.end())
    summary.videos_per_second = median_of(curve->second.values);
  return summary;
}

ordered_json to_json(const std::vector<RunSummary>& runs, const std::vector<RunDifference>& differences) {
  ordered_json json = {{"runs", ordered_json::array()}, {"differences", ordered_json::array()}};
  for (const auto& run : runs) json["runs"].push_back(summary_json(run));
  for (const auto& difference : differences) {
    ordered_json entry = {{"first", difference.first}, {"second", difference.second}};
    if (!difference.scored.empty()) entry["scored"] = difference.scored;
    if (!difference.unknown.empty()) entry["unknown"] = difference.unknown;
    for (const auto& figure : difference.figures) {
      entry["figures"].push_back({{"figure", figure.name},
                                  {"difference", figure.percent},
                                  {"interval", interval_json(figure.interval)},
                                  {"more_than_chance", is_more_than_chance(figure)}});
    }
    json["differences"].push_back(std::move(entry));
  }
  return json;
}

}  // namespace actionclip
