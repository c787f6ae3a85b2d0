#include "actionclip/protocols/few_shot.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/json_text.h"
#include "actionclip/core/statistics.h"
#include "actionclip/eval/evaluator.h"
#include "actionclip/protocols/score_curve.h"

#include "protocols/interval_text.h"
#include "protocols/shot_runs.h"

namespace actionclip {
namespace {

ShotProtocol few_shot_protocol(const Experiment& experiment, const ShotOptions& options,
                               FewShotReport& report) {
  const auto& data = experiment.data;
  LabelSet labels = read_labels(data.labels.path);
  check_label_columns(labels, experiment.eval);
  auto train = read_video_list(data.train, &labels);
  auto tests = read_test_lists(experiment, options, labels);
  for (const auto* list : {&train, &tests.front()}) require_single_labels(*list, "few-shot");
  const auto matches = check_lists(options, {{"", facts_of(tests.front(), labels)}});
  if (!matches.empty()) report.protocol = matches.front();
  report.list_sha256 = tests.front().fingerprint();
  report.seeds = options.seeds;
  auto tokenizer = make_tokenizer(experiment.text);
  auto identity = shot_identity(experiment, options, train, tests.front());
  const auto score = [experiment, tokenizer, labels, test = tests.front()](ActionClip& model) {
    ShotRun run;
    score_top1(experiment, model, tokenizer, labels, test, run);
    return run;
  };
  return {.name = "few-shot",
          .scores = {"top1"},
          .experiment = experiment,
          .labels = std::move(labels),
          .train = std::move(train),
          .tests = std::move(tests),
          .tokenizer = std::move(tokenizer),
          .identity = std::move(identity),
          .prepare = nullptr,
          .score = score};
}

FewShotResult summarize(const ShotRuns& of_shots) {
  FewShotResult result{.shots = of_shots.shots};
  for (const auto& run : of_shots.runs) {
    result.top1.push_back(run.scores.front());
    result.failed.push_back(run.failed);
    if (run.epoch > 0) result.epochs.push_back(run.epoch);
  }
  result.mean = mean_of(result.top1);
  result.deviation = deviation_of(result.top1);
  result.margin = margin_of(result.top1);
  return result;
}

std::string curve_of(std::vector<FewShotResult> results) {
  std::ranges::sort(results, {}, &FewShotResult::shots);
  ScoreCurve curve{.name = "few-shot", .points = {}};
  for (const auto& result : results) curve.points.push_back({result.shots, result.mean, result.margin});
  return score_curve_svg("few-shot: mean over seeds, 95 % interval", {curve});
}

}  // namespace

TrainOutcome run_few_shot(const Experiment& experiment, const ShotOptions& options, FewShotReport& report) {
  check_shot_settings(experiment, "few-shot");
  std::vector<ShotRuns> runs;
  const auto outcome = run_shots(few_shot_protocol(experiment, options, report), options, runs);
  for (const auto& of_shots : runs) report.rows.push_back(summarize(of_shots));
  if (outcome == TrainOutcome::stopped_by_signal) return outcome;
  std::filesystem::create_directories(options.output);
  write_file_atomically(options.output / "few_shot.json", json_text(to_json(report)) + "\n");
  write_file_atomically(options.output / "few_shot.svg", curve_of(report.rows));
  return outcome;
}

nlohmann::ordered_json to_json(const FewShotReport& report) {
  nlohmann::ordered_json json = {{"list_sha256", report.list_sha256},
                                 {"seeds", report.seeds},
                                 {"rows", nlohmann::ordered_json::array()}};
  for (const auto& result : report.rows) {
    nlohmann::ordered_json row = {{"shots", result.shots},
                                  {"top1", result.top1},
                                  {"mean", result.mean},
                                  {"std", result.deviation},
                                  {"interval95", interval_json(result.mean, result.margin)}};
    if (has_failures(result.failed)) row["failed"] = result.failed;
    if (!result.epochs.empty()) row["epochs"] = result.epochs;
    json["rows"].push_back(row);
  }
  if (report.protocol) json["protocol"] = to_json(*report.protocol);
  return json;
}

std::string to_table(const FewShotReport& report) {
  constexpr double kBarWidth = 40;
  std::string table = fmt::format("  {:>5}  {:>5}  {:>12}  {:>6}  {:>6}\n", "shots", "seeds", "top-1 (mean)",
                                  "± 95 %", "std");
  for (const auto& result : report.rows) {
    const auto bar = static_cast<std::size_t>(std::lround(result.mean / 100 * kBarWidth));
    table += fmt::format("  {:>5}  {:>5}  {:>12.2f}  {:>6}  {:>6.2f}  {}", result.shots, result.top1.size(),
                         result.mean, margin_text(result.margin), result.deviation, std::string(bar, '#'));
    if (!result.epochs.empty()) table += fmt::format("  epochs {}", fmt::join(result.epochs, ", "));
    table += '\n';
  }
  if (report.protocol) table += fmt::format("  {}\n", to_text(*report.protocol));
  return table;
}

}  // namespace actionclip
