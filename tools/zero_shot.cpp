// actionclip zero-shot: top-1 / top-5 of a model on labels that it was not trained on.

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "actionclip/core/error.h"
#include "actionclip/core/json_text.h"
#include "actionclip/eval/statistics.h"
#include "actionclip/protocols/run_record.h"
#include "actionclip/weights/preprocessing.h"

#include "tools/command.h"
#include "tools/evaluation.h"
#include "tools/results.h"

namespace actionclip {
namespace {

struct Options {
  EvaluationOptions common;
  std::string labels;
  std::vector<std::string> lists;
  std::string root;
};

Experiment load(const Options& options) {
  if (!options.root.empty() && options.lists.empty())
    throw UsageError("--root: says where the videos of --list lie, and there is no --list");
  std::vector<std::string> read_splits;
  if (options.lists.empty()) read_splits.push_back(options.common.split);
  UnreadPaths unread;
  if (!options.labels.empty()) unread.emplace_back("data.labels");
  return options.common.load(read_splits, unread);
}

LabelSet choose_labels(const Options& options, const Experiment& experiment) {
  if (!options.labels.empty()) return read_labels(options.labels);
  if (experiment.data.labels.empty())
    throw Error("there are no labels: give --labels FILE, or set data.labels");
  return read_labels(experiment.data.labels.path);
}

// The experiment's split, or each --list: as it is, without the root folder of the experiment's own videos.
std::vector<DatasetConfig> choose_splits(const Options& options, const Experiment& experiment) {
  if (options.lists.empty()) return {find_split(experiment, options.common.split)};
  std::vector<DatasetConfig> splits;
  for (const auto& list : options.lists) {
    auto split = experiment.data.test;
    split.list.path = std::filesystem::absolute(list);
    split.root.path =
        options.root.empty() ? std::filesystem::path() : std::filesystem::absolute(options.root);
    splits.push_back(split);
  }
  return splits;
}

// The experiment with what the options put in the place of its labels and its test videos (of several lists,
// the first).
Experiment as_scored(const Options& options, Experiment experiment,
                     const std::vector<DatasetConfig>& splits) {
  if (!options.labels.empty()) experiment.data.labels.path = std::filesystem::absolute(options.labels);
  if (!options.lists.empty()) experiment.data.test = splits.front();
  return experiment;
}

// How many of the "unseen" labels the weights say they were trained on; none if they name no labels.
std::optional<std::int64_t> count_trained(const LoadedWeights& weights, const LabelSet& labels) {
  const auto trained = read_text_list(weights, std::string(kLabelsKey));
  if (trained.empty()) return std::nullopt;
  const std::set<std::string> names(trained.begin(), trained.end());
  return std::count_if(labels.names().begin(), labels.names().end(),
                       [&](const std::string& name) { return names.contains(name); });
}

std::string in_words(const std::optional<std::int64_t>& trained) {
  if (!trained) return "the weights do not say which were trained on";
  return *trained == 0 ? "none trained on" : fmt::format("{} of them trained on", *trained);
}

// Mean and spread of each figure over the splits: "top1_mean", "top1_std", ...; for people, a sentence.
std::string add_means(const std::vector<EvaluationReport>& reports, nlohmann::ordered_json& json) {
  std::string words;
  for (std::size_t f = 0; f < reports.front().figures.size(); ++f) {
    const auto& figure = reports.front().figures[f];
    std::vector<double> values;
    for (const auto& report : reports) values.push_back(report.figures.at(f).percent);
    json[figure.name + "_mean"] = mean_of(values);
    json[figure.name + "_std"] = deviation_of(values);
    words += fmt::format("{}{} {:.2f} ± {:.2f}", words.empty() ? "" : ", ", title_of(figure), mean_of(values),
                         deviation_of(values));
  }
  return words;
}

void require_same_kind(const std::vector<EvaluationReport>& reports) {
  for (const auto& report : reports) {
    if (report.scores.multi_label != reports.front().scores.multi_label)
      throw Error("one of the lists has videos of several labels and another has not: score them one by one");
  }
}

void tell(const Options& options, const LabelSet& labels, const std::optional<std::int64_t>& trained,
          const std::vector<DatasetConfig>& splits, const std::vector<EvaluationReport>& reports) {
  require_same_kind(reports);
  const double chance = 100.0 / static_cast<double>(labels.size());
  nlohmann::ordered_json json = {{"labels", labels.size()}};
  if (!reports.front().scores.multi_label) json["chance_top1"] = chance;
  if (trained) json["labels_trained_on"] = *trained;
  for (std::size_t i = 0; i < splits.size(); ++i) {
    const auto list = splits[i].list.string();
    nlohmann::ordered_json entry = {{"list", list}};
    entry.update(describe(reports[i]));
    json["splits"].push_back(entry);
    if (options.common.json) continue;
    fmt::print("{} ({} labels, {})\n{}", list, labels.size(), in_words(trained), to_table(reports[i]));
  }
  const auto words = add_means(reports, json);
  if (options.common.json) {
    fmt::print("{}\n", json_text(json));
  } else {
    fmt::print("zero-shot over {} split(s): {} (chance of top-1 {:.2f})\n", splits.size(), words, chance);
  }
  options.common.output.write("zero_shot.json", json_text(json) + "\n");
}

int zero_shot_command(const Options& options) {
  const Experiment experiment = load(options);
  const LabelSet labels = choose_labels(options, experiment);
  const auto splits = choose_splits(options, experiment);
  options.common.output.open();
  return run_evaluation(options.common, experiment, [&](c10::Device device, const auto& group) {
    const SplitScorer scorer(options.common, experiment, labels, device, group);
    const auto trained = count_trained(scorer.weights(), labels);
    if (trained.value_or(0) > 0) {
      spdlog::warn("{} of the {} labels were in the training set: this is not zero-shot for them", *trained,
                   labels.size());
    }
    std::vector<EvaluationReport> reports;
    for (const auto& split : splits) reports.push_back(scorer.score(split));
    if (group->rank() != 0) return kExitDone;
    tell(options, labels, trained, splits, reports);
    describe_results(options.common.output.path(), "zero-shot", kZeroShotConfigName,
                     as_scored(options, experiment, splits), device, group->world_size());
    return kExitDone;
  });
}

}  // namespace

void add_zero_shot_command(CLI::App& program, int& exit_code) {
  auto options = std::make_shared<Options>();
  auto* command =
      program.add_subcommand("zero-shot", "evaluate on a label set that the model was not trained on");
  options->common.add_to(*command);
  command->add_option("--labels", options->labels, "the unseen labels (instead of data.labels)");
  command
      ->add_option("--list", options->lists,
                   "list of test videos with these labels (instead of data.test.list and its root), in the "
                   "form of data.test.format; given several times: mean ± std")
      ->allow_extra_args(false);  // the word behind it is an override
  command->add_option("--root", options->root,
                      "folder that the paths in --list are relative to; default: the list's own");
  command->footer(
      "Example:\n  actionclip zero-shot --config configs/synthetic/finetune.yaml --weights "
      "runs/demo/finetune/checkpoints/best \\\n"
      "      --labels data/synthetic/zero_shot_labels.csv --list data/synthetic/zero_shot.txt\n"
      "--output gets zero_shot.json, the settings, zero_shot.yaml, machine.json, and report.html.");
  command->callback([options, &exit_code] { exit_code = zero_shot_command(*options); });
}

}  // namespace actionclip
