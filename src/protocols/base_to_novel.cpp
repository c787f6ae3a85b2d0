#include "actionclip/protocols/base_to_novel.h"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"
#include "actionclip/core/json_text.h"
#include "actionclip/core/statistics.h"
#include "actionclip/protocols/base_novel_split.h"
#include "actionclip/protocols/score_curve.h"
#include "actionclip/text/label_matcher.h"
#include "actionclip/weights/preprocessing.h"

#include "protocols/interval_text.h"
#include "protocols/shot_runs.h"

namespace actionclip {
namespace {

constexpr const char* kProtocol = "base-to-novel";

// A half of the classes: its labels, and the test videos of these with label ids of their own.
struct Half {
  LabelSet labels;
  VideoList test;
};

void check_settings(const Experiment& experiment) {
  check_shot_settings(experiment, kProtocol);
  if (experiment.model.classifier) {
    throw ConfigError(
        "model.classifier: a linear classifier knows the base labels alone, and base-to-novel scores novel "
        "ones; set it to false");
  }
  if (experiment.model.context.length > 0 && experiment.model.context.class_specific) {
    throw ConfigError(
        "model.context.class_specific: each base label would learn a context that novel labels lack; set it "
        "to "
        "false");
  }
}

Half half_of(const LabelSet& labels, const VideoList& test, const std::vector<std::int64_t>& ids,
             const char* name) {
  Half half{labels_with(labels, ids), videos_of(test, ids, labels.size())};
  if (half.test.empty()) throw Error(fmt::format("{}: no video of a {} class", test.file().string(), name));
  return half;
}

// Of the labels that the weights say they were trained on, those that are to be novel.
void warn_of_trained(const ModelConfig& model, const LabelSet& novel) {
  const bool starts_there = model.init.image == InitSource::weights || model.init.text == InitSource::weights;
  if (model.weights.empty() || !starts_there) return;
  std::set<std::string> trained;
  for (const auto& name : read_text_list(load_weights(model.weights.path), std::string(kLabelsKey)))
    trained.insert(plain_label(name));
  const auto seen = std::ranges::count_if(
      novel.names(), [&](const std::string& name) { return trained.contains(plain_label(name)); });
  if (seen > 0) {
    spdlog::warn("{} of the {} novel labels were in the training set of {}: they are not novel to it", seen,
                 novel.size(), model.weights.string());
  }
}

// What each run's folder holds beside its lists: the base labels, and which of them a mirrored clip shows.
std::function<void(const std::filesystem::path&, Experiment&)> label_writer(
    const Experiment& experiment, const LabelSet& labels, const std::vector<std::int64_t>& base) {
  const auto& flips = experiment.data.transforms.flip_labels;
  const auto names = labels_text(labels_with(labels, base));
  const auto mirrored = flips.empty() ? std::string() : base_flip_labels(flips.path, labels, base);
  return [names, mirrored](const std::filesystem::path& folder, Experiment& run) {
    run.data.labels.path = std::filesystem::absolute(folder / "labels.csv");
    write_file_atomically(run.data.labels.path, names);
    if (mirrored.empty()) return;
    run.data.transforms.flip_labels.path = std::filesystem::absolute(folder / "flip_labels.csv");
    write_file_atomically(run.data.transforms.flip_labels.path, mirrored);
  };
}

ShotProtocol make_protocol(Experiment experiment, const BaseToNovelOptions& options,
                           BaseToNovelResult& result) {
  experiment.eval.group_by.clear();  // of columns that the halves do not have
  experiment.eval.pair_by.clear();
  const LabelSet labels = read_labels(experiment.data.labels.path);
  const auto split = split_labels(labels, options.base_labels, options.novel_labels);
  const auto train = read_video_list(experiment.data.train, &labels);
  auto tests = read_test_lists(experiment, options.runs, labels);
  require_single_labels(train, kProtocol);
  require_single_labels(tests.front(), kProtocol);
  auto base = half_of(labels, tests.front(), split.base, "base");
  auto novel = half_of(labels, tests.front(), split.novel, "novel");
  warn_of_trained(experiment.model, novel.labels);
  result.base_labels = base.labels.names();
  result.novel_labels = novel.labels.names();
  result.base_videos = base.test.size();
  result.novel_videos = novel.test.size();
  result.list_sha256 = tests.front().fingerprint();
  result.seeds = options.runs.seeds;
  result.protocols = check_lists(options.runs, {{"base", facts_of(base.test, base.labels)},
                                                {"novel", facts_of(novel.test, novel.labels)}});
  auto tokenizer = make_tokenizer(experiment.text);
  auto identity = shot_identity(
      experiment, options.runs, train, tests.front(),
      {{"protocol", kProtocol}, {"base_labels", result.base_labels}, {"novel_labels", result.novel_labels}});
  const auto score = [experiment, tokenizer, base, novel](ActionClip& model) {
    ShotRun run;
    score_top1(experiment, model, tokenizer, base.labels, base.test, run);
    score_top1(experiment, model, tokenizer, novel.labels, novel.test, run);
    return run;
  };
  return {.name = kProtocol,
          .scores = {"base_top1", "novel_top1"},
          .experiment = experiment,
          .labels = base.labels,
          .train = videos_of(train, split.base, labels.size()),
          .tests = std::move(tests),
          .tokenizer = std::move(tokenizer),
          .identity = std::move(identity),
          .prepare = label_writer(experiment, labels, split.base),
          .score = score};
}

ScoreOverSeeds over_seeds(std::vector<double> values) {
  ScoreOverSeeds score{.values = std::move(values)};
  score.mean = mean_of(score.values);
  score.deviation = deviation_of(score.values);
  score.margin = margin_of(score.values);
  return score;
}

BaseToNovelRow summarize(const ShotRuns& of_shots) {
  BaseToNovelRow row{.shots = of_shots.shots};
  std::vector<double> base, novel, harmonic;
  for (const auto& run : of_shots.runs) {
    base.push_back(run.scores.at(0));
    novel.push_back(run.scores.at(1));
    harmonic.push_back(harmonic_mean(base.back(), novel.back()));
    row.failed.push_back(run.failed);
    if (run.epoch > 0) row.epochs.push_back(run.epoch);
  }
  row.base = over_seeds(std::move(base));
  row.novel = over_seeds(std::move(novel));
  row.harmonic = over_seeds(std::move(harmonic));
  row.harmonic_of_means = harmonic_mean(row.base.mean, row.novel.mean);
  return row;
}

std::string curves_of(std::vector<BaseToNovelRow> rows) {
  std::ranges::sort(rows, {}, &BaseToNovelRow::shots);
  std::vector<ScoreCurve> curves = {{"base", {}}, {"novel", {}}, {"harmonic", {}}};
  for (const auto& row : rows) {
    const ScoreOverSeeds* scores[] = {&row.base, &row.novel, &row.harmonic};
    for (std::size_t i = 0; i < curves.size(); ++i)
      curves[i].points.push_back({row.shots, scores[i]->mean, scores[i]->margin});
  }
  return score_curve_svg("base-to-novel", curves);
}

nlohmann::ordered_json describe(const ScoreOverSeeds& score) {
  return {{"values", score.values},
          {"mean", score.mean},
          {"std", score.deviation},
          {"interval95", interval_json(score.mean, score.margin)}};
}

}  // namespace

double harmonic_mean(double a, double b) { return a + b > 0 ? 2 * a * b / (a + b) : 0; }

TrainOutcome run_base_to_novel(const Experiment& experiment, const BaseToNovelOptions& options,
                               BaseToNovelResult& result) {
  check_settings(experiment);
  std::vector<ShotRuns> runs;
  const auto outcome = run_shots(make_protocol(experiment, options, result), options.runs, runs);
  for (const auto& of_shots : runs) result.rows.push_back(summarize(of_shots));
  if (outcome == TrainOutcome::stopped_by_signal) return outcome;
  const auto& output = options.runs.output;
  std::filesystem::create_directories(output);
  write_file_atomically(output / "base_to_novel.json", json_text(to_json(result)) + "\n");
  write_file_atomically(output / "base_to_novel.svg", curves_of(result.rows));
  return outcome;
}

nlohmann::ordered_json to_json(const BaseToNovelResult& result) {
  nlohmann::ordered_json json = {
      {"base_labels", result.base_labels},      {"novel_labels", result.novel_labels},
      {"base_videos", result.base_videos},      {"novel_videos", result.novel_videos},
      {"list_sha256", result.list_sha256},      {"seeds", result.seeds},
      {"rows", nlohmann::ordered_json::array()}};
  for (const auto& row : result.rows) {
    nlohmann::ordered_json entry = {{"shots", row.shots},
                                    {"base", describe(row.base)},
                                    {"novel", describe(row.novel)},
                                    {"harmonic", describe(row.harmonic)},
                                    {"harmonic_of_means", row.harmonic_of_means}};
    if (has_failures(row.failed)) entry["failed"] = row.failed;
    if (!row.epochs.empty()) entry["epochs"] = row.epochs;
    json["rows"].push_back(entry);
  }
  for (const auto& match : result.protocols) json["protocols"].push_back(to_json(match));
  return json;
}

std::string to_table(const BaseToNovelResult& result) {
  const auto cell = [](const ScoreOverSeeds& score) {
    const auto mean = fmt::format("{:.2f}", score.mean);
    return score.margin ? fmt::format("{} ± {}", mean, margin_text(score.margin)) : mean;
  };
  std::string table =
      fmt::format("  {:>5}  {:>5}  {:>15}  {:>15}  {:>15}\n", "shots", "seeds", "base", "novel", "harmonic");
  for (const auto& row : result.rows) {
    table += fmt::format("  {:>5}  {:>5}  {:>15}  {:>15}  {:>15}", row.shots, row.base.values.size(),
                         cell(row.base), cell(row.novel), cell(row.harmonic));
    if (!row.epochs.empty()) table += fmt::format("  epochs {}", fmt::join(row.epochs, ", "));
    table += '\n';
  }
  for (const auto& match : result.protocols) table += fmt::format("  {}\n", to_text(match));
  return table;
}

}  // namespace actionclip
