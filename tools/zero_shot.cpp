// actionclip zero-shot: top-1 / top-5 of a model on labels that it was not trained on.

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "actionclip/core/error.h"
#include "actionclip/core/json_text.h"
#include "actionclip/core/statistics.h"
#include "actionclip/protocols/run_record.h"
#include "actionclip/video/video_list.h"

#include "tools/command.h"
#include "tools/evaluation.h"
#include "tools/protocol_option.h"
#include "tools/results.h"
#include "tools/strict_zero_shot.h"

namespace actionclip {
namespace {

struct Options {
  EvaluationOptions common;
  ProtocolOptions protocol;
  std::vector<std::string> labels;
  std::vector<std::string> lists;
  std::string root;
  std::string trained_labels;
  double near_similarity = kNearSimilarity;
};

// What is scored one after the other.
struct TestSplit {
  VideoList list;
  std::size_t labels = 0;  // index of its label set
};

struct Outcome {
  const TestSplit* split;
  std::filesystem::path weights;  // the file of the model that scored it
  EvaluationReport report;
  WorkDone work;
  std::optional<ProtocolMatch> protocol;
  std::optional<LabelOverlap> overlap;  // none: nobody says what was trained on
  std::optional<StrictAccuracy> strict;
};

Experiment load(const Options& options) {
  if (!options.root.empty() && options.lists.empty())
    throw UsageError("--root: says where the videos of --list lie, and there is no --list");
  if (options.labels.size() > 1 && options.labels.size() != options.lists.size()) {
    throw UsageError(fmt::format("--labels: {} given for {} --list: give one for all of them, or one each",
                                 options.labels.size(), options.lists.size()));
  }
  std::vector<std::string> wanted;
  if (options.lists.empty()) wanted.push_back(options.common.split);
  UnreadPaths unread;
  if (!options.labels.empty()) unread.emplace_back("data.labels");
  return options.common.load(wanted, unread);
}

std::vector<LabelSet> choose_labels(const Options& options, const Experiment& experiment) {
  std::vector<LabelSet> sets;
  for (const auto& file : options.labels) sets.push_back(read_labels(file));
  if (!sets.empty()) return sets;
  if (experiment.data.labels.empty())
    throw Error("there are no labels: give --labels FILE, or set data.labels");
  sets.push_back(read_labels(experiment.data.labels.path));
  return sets;
}

// The experiment's split, or each --list: as it is, without the root folder of the experiment's own videos.
// All are read, as else the last is found faulty when the first has been scored.
std::vector<TestSplit> read_splits(const Options& options, const Experiment& experiment,
                                   const std::vector<LabelSet>& sets) {
  if (options.lists.empty())
    return {{read_video_list(find_split(experiment, options.common.split), &sets.front())}};
  std::vector<TestSplit> splits;
  for (const auto& list : options.lists) {
    auto split = experiment.data.test;
    split.list.path = std::filesystem::absolute(list);
    split.protocol.clear();  // is of the list whose place it takes
    split.root.path =
        options.root.empty() ? std::filesystem::path() : std::filesystem::absolute(options.root);
    const std::size_t set = options.labels.size() > 1 ? splits.size() : 0;
    splits.push_back({read_video_list(split, &sets[set]), set});
  }
  return splits;
}

// The experiment with what the options put in the place of its labels and its test videos (of several, the
// first).
Experiment as_scored(const Options& options, Experiment experiment, const std::vector<TestSplit>& splits) {
  if (!options.labels.empty())
    experiment.data.labels.path = std::filesystem::absolute(options.labels.front());
  if (!options.lists.empty()) experiment.data.test = splits.front().list.config();
  return experiment;
}

std::string in_words(const std::optional<LabelOverlap>& overlap) {
  if (!overlap) return "the weights do not say which were trained on";
  return overlap->same.empty() ? "none trained on"
                               : fmt::format("{} of them trained on", overlap->same.size());
}

double chance_of(const LabelSet& labels) { return 100.0 / static_cast<double>(labels.size()); }

// A figure over the splits: "top1_mean" and "top1_std"; not where a split lacks it.
void add_mean(nlohmann::ordered_json& json, const std::string& key, const std::vector<double>& values,
              std::size_t splits) {
  if (values.size() != splits) return;
  json[key + "_mean"] = mean_of(values);
  if (splits > 1) json[key + "_std"] = deviation_of(values);  // one has none
}

nlohmann::ordered_json describe(const Outcome& outcome, const LabelSet& labels) {
  nlohmann::ordered_json json = {{"list", outcome.split->list.file().string()}, {"labels", labels.size()}};
  json.update(describe(outcome.report));
  if (outcome.protocol) json["protocol"] = to_json(*outcome.protocol);
  if (!outcome.overlap) return json;
  json["trained"] = to_json(*outcome.overlap, labels);
  if (outcome.strict) json["strict"] = to_json(*outcome.strict);
  return json;
}

void require_same_kind(const std::vector<Outcome>& outcomes) {
  for (const auto& outcome : outcomes) {
    if (outcome.report.scores.multi_label != outcomes.front().report.scores.multi_label)
      throw Error("one of the lists has videos of several labels and another has not: score them one by one");
  }
}

nlohmann::ordered_json describe(const std::vector<Outcome>& outcomes, const std::vector<LabelSet>& sets) {
  require_same_kind(outcomes);
  std::vector<double> chances;
  std::map<std::string, std::vector<double>> figures;
  auto splits = nlohmann::ordered_json::array();
  for (const auto& outcome : outcomes) {
    chances.push_back(chance_of(sets[outcome.split->labels]));
    for (const auto& figure : outcome.report.figures) figures[figure.name].push_back(figure.percent);
    const auto strict = outcome.strict.value_or(StrictAccuracy());
    if (strict.top1) figures["strict_top1"].push_back(*strict.top1);
    if (strict.top1_of_left) figures["strict_top1_of_left"].push_back(*strict.top1_of_left);
    splits.push_back(describe(outcome, sets[outcome.split->labels]));
  }
  nlohmann::ordered_json json;
  if (sets.size() == 1) {  // else each split says its own
    json["labels"] = sets.front().size();
    if (const auto& overlap = outcomes.front().overlap) json["labels_trained_on"] = overlap->same.size();
  }
  if (!outcomes.front().report.scores.multi_label) json["chance_top1"] = mean_of(chances);
  json["splits"] = splits;
  for (const auto& [key, values] : figures) add_mean(json, key, values, outcomes.size());
  return json;
}

void print(const Outcome& outcome, const LabelSet& labels) {
  fmt::print("{} ({} labels, {})\n{}", outcome.split->list.file().string(), labels.size(),
             in_words(outcome.overlap), to_table(outcome.report));
  if (outcome.protocol) fmt::print("  {}\n", to_text(*outcome.protocol));
  if (!outcome.overlap) return;
  fmt::print("{}", to_text(*outcome.overlap, labels));
  if (outcome.strict && !outcome.overlap->same.empty())
    fmt::print("{}", to_text(*outcome.strict, *outcome.overlap));
}

std::string mean_in_words(const nlohmann::ordered_json& json, const std::string& key) {
  const auto mean = fmt::format("{:.2f}", json.at(key + "_mean").get<double>());
  const auto deviation = json.find(key + "_std");
  return deviation == json.end() ? mean : fmt::format("{} ± {:.2f}", mean, deviation->get<double>());
}

// Every figure's mean and spread over the splits, and what chance gives.
std::string figures_in_words(const nlohmann::ordered_json& json, const EvaluationReport& first) {
  std::string words;
  for (const auto& figure : first.figures)
    words +=
        fmt::format("{}{} {}", words.empty() ? "" : ", ", title_of(figure), mean_in_words(json, figure.name));
  if (json.contains("chance_top1"))
    words += fmt::format(" (chance of top-1 {:.2f})", json.at("chance_top1").get<double>());
  return words;
}

void tell(const Options& options, const std::vector<Outcome>& outcomes, const std::vector<LabelSet>& sets) {
  const auto json = describe(outcomes, sets);
  if (options.common.json) {
    fmt::print("{}\n", json_text(json));
  } else {
    for (const auto& outcome : outcomes) print(outcome, sets[outcome.split->labels]);
    fmt::print("zero-shot over {} split(s): {}\n", outcomes.size(),
               figures_in_words(json, outcomes.front().report));
    const bool seen = std::ranges::any_of(
        outcomes, [](const auto& outcome) { return outcome.overlap && !outcome.overlap->same.empty(); });
    if (seen && json.contains("strict_top1_mean")) {
      fmt::print("  without the labels trained on: top-1 {}, ranked among the others alone {}\n",
                 mean_in_words(json, "strict_top1"), mean_in_words(json, "strict_top1_of_left"));
    }
  }
  options.common.output.write("zero_shot.json", json_text(json) + "\n");
}

void save(const Options& options, std::vector<Outcome>& outcomes) {
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const auto file = options.common.output.path_of(zero_shot_scores_name(i));
    if (!file) return;
    auto& scores = outcomes[i].report.scores;
    add_weights_origin(scores, outcomes[i].weights);
    save_scores(scores, *file);
  }
}

// A model for each label set, whose splits follow each other.
std::vector<Outcome> score(const Options& options, const Experiment& experiment,
                           const std::vector<LabelSet>& sets, const std::vector<TestSplit>& splits,
                           c10::Device device, const std::shared_ptr<ProcessGroup>& group) {
  std::vector<Outcome> outcomes;
  for (std::size_t set = 0; set < sets.size(); ++set) {
    const SplitScorer scorer(options.common, experiment, sets[set], device, group);
    const auto trained = find_trained(options.trained_labels, scorer.weights());
    std::optional<LabelOverlap> overlap;
    if (trained) overlap = find_overlap(scorer, sets[set], *trained, options.near_similarity);
    if (overlap && !overlap->same.empty()) {
      spdlog::warn("{} of the {} labels were in the training set: this is not zero-shot for them",
                   overlap->same.size(), sets[set].size());
    }
    for (const auto& split : splits) {
      if (split.labels != set) continue;
      const WorkTimer timer;
      Outcome outcome{.split = &split, .weights = scorer.weights().file, .report = scorer.score(split.list)};
      outcome.work = timer.done(outcome.report.samples());
      outcome.overlap = overlap;
      if (overlap) outcome.strict = strict_accuracy(outcome.report, *overlap);
      outcomes.push_back(std::move(outcome));
    }
  }
  return outcomes;
}

int zero_shot_command(const Options& options) {
  const Experiment experiment = load(options);
  const auto sets = choose_labels(options, experiment);
  const auto splits = read_splits(options, experiment, sets);
  std::vector<DatasetConfig> lists;
  for (const auto& split : splits) lists.push_back(split.list.config());
  ProtocolCheck protocols(options.protocol, lists);
  options.common.output.open();
  return run_evaluation(options.common, experiment, [&](c10::Device device, const auto& group) {
    const bool leads = group->rank() == 0;
    std::vector<std::optional<ProtocolMatch>> matches(splits.size());
    for (std::size_t i = 0; leads && i < splits.size(); ++i)
      matches[i] = protocols.check(i, splits[i].list, sets[splits[i].labels]);
    if (leads) protocols.record();
    auto outcomes = score(options, experiment, sets, splits, device, group);
    WorkDone work;
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      note_protocol(matches[i], outcomes[i].report.scores);
      work.seconds += outcomes[i].work.seconds;
      work.videos += outcomes[i].work.videos;
      outcomes[i].protocol = std::move(matches[i]);
    }
    if (!leads) return kExitDone;
    tell(options, outcomes, sets);
    save(options, outcomes);
    describe_results(options.common.output.path(), "zero-shot", kZeroShotConfigName,
                     as_scored(options, experiment, splits), device, group->world_size(), work);
    return kExitDone;
  });
}

}  // namespace

void add_zero_shot_command(CLI::App& program, int& exit_code) {
  auto options = std::make_shared<Options>();
  auto* command =
      program.add_subcommand("zero-shot", "evaluate on a label set that the model was not trained on");
  options->common.add_to(*command);
  options->protocol.add_to(*command);
  command
      ->add_option("--labels", options->labels,
                   "the unseen labels (instead of data.labels); given several times: those of each --list")
      ->allow_extra_args(false);  // the word behind it is an override
  command
      ->add_option("--list", options->lists,
                   "list of test videos with these labels (instead of data.test.list and its root), in the "
                   "form of data.test.format; given several times: mean ± std")
      ->allow_extra_args(false);  // the word behind it is an override
  command->add_option("--root", options->root,
                      "folder that the paths in --list are relative to; default: the list's own");
  command->add_option(
      "--trained-labels", options->trained_labels,
      "labels that the model was trained on, which do not count as unseen; default: those that "
      "the weights name");
  command
      ->add_option(
          "--near-similarity", options->near_similarity,
          "labels are shown as near to one trained on, whose name's embedding has this cosine with it")
      ->check(number_in(-1, 1))
      ->capture_default_str();
  command->footer(
      "Example:\n  actionclip zero-shot --config configs/synthetic/finetune.yaml --weights "
      "runs/demo/finetune/checkpoints/best \\\n"
      "      --labels data/synthetic/zero_shot_labels.csv --list data/synthetic/zero_shot.txt\n"
      "Labels whose names were trained on, however they are written, are listed, and accuracy is given "
      "without them too.\n"
      "--output gets zero_shot.json, the scores of each list, zero_shot-1.safetensors and on, for "
      "`actionclip "
      "rescore`\nand `compare`, the settings, zero_shot.yaml, machine.json, and report.html.");
  command->callback([options, &exit_code] { exit_code = zero_shot_command(*options); });
}

}  // namespace actionclip
