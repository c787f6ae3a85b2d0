#include "actionclip/protocols/compare.h"

#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actionclip/config/reader.h"
#include "actionclip/core/error.h"
#include "actionclip/train/experiment.h"

#include "json_values.h"
#include "median.h"

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

void take_figures(const RunRecord& run, RunSummary& summary) {
  const bool evaluated = run.evaluation.is_object();
  const auto& figures = evaluated ? run.evaluation : run.last_validation;
  if (!figures.is_object()) return;
  summary.source = evaluated
                       ? "evaluation.json"
                       : fmt::format("validation of epoch {:.0f}", number(figures, "epoch").value_or(0));
  summary.top1 = number(figures, "top1");
  summary.top5 = number(figures, "top5");
  summary.map = number(figures, "map");
  summary.loss = number(figures, "loss");
  if (const auto interval = detail::interval_at(figures, summary.map ? "map" : "top1"))
    summary.interval = Interval{.low = interval->first, .high = interval->second};
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

// Lists of one name can differ: the hashes tell, where both scores have one.
bool lists_differ(const VideoScores& first, const VideoScores& second) {
  const auto hash = [](const VideoScores& scores) {
    const auto found = scores.origin.find("list_sha256");
    return found == scores.origin.end() ? std::string() : found->second;
  };
  const auto a = hash(first), b = hash(second);
  return !a.empty() && !b.empty() && a != b;
}

RunDifference difference_of(const std::vector<RunRecord>& runs, std::size_t first, std::size_t second) {
  RunDifference difference{.first = first, .second = second};
  for (const auto run : {first, second}) {
    if (runs[run].scores) continue;
    difference.unknown = fmt::format(
        "{} holds no scores of videos (scores.safetensors, of evaluate --output)", runs[run].folder.string());
    return difference;
  }
  if (lists_differ(*runs[first].scores, *runs[second].scores)) {
    difference.unknown = "they are scores of different lists";
    return difference;
  }
  try {
    difference.figures = figure_differences(*runs[first].scores, *runs[second].scores);
  } catch (const Error& problem) {
    difference.unknown = problem.what();
  }
  return difference;
}

}  // namespace

RunSummary summarize(const RunRecord& run) {
  RunSummary summary{.name = run_name(run)};
  take_settings(run, summary);
  take_figures(run, summary);
  if (const auto curve = run.curves.find("train/videos_per_second"); curve != run.curves.end())
    summary.videos_per_second = detail::median(curve->second.values);
  return summary;
}

bool is_more_than_chance(const Figure& difference) {
  return difference.interval.low > 0 || difference.interval.high < 0;
}

std::vector<RunDifference> differences_of(const std::vector<RunRecord>& runs) {
  std::vector<RunDifference> differences;
  for (std::size_t first = 0; first < runs.size(); ++first) {
    for (std::size_t second = first + 1; second < runs.size(); ++second)
      differences.push_back(difference_of(runs, first, second));
  }
  return differences;
}

ordered_json to_json(const std::vector<RunSummary>& runs, const std::vector<RunDifference>& differences) {
  ordered_json json = {{"runs", ordered_json::array()}, {"differences", ordered_json::array()}};
  for (const auto& run : runs) json["runs"].push_back(summary_json(run));
  for (const auto& difference : differences) {
    ordered_json entry = {{"first", difference.first}, {"second", difference.second}};
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
