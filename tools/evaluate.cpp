// actionclip evaluate and zero-shot: top-1 / top-5 of a model on a split, on the labels it was trained on or
// on others.

#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "actionclip/core/error.h"
#include "actionclip/eval/evaluator.h"
#include "actionclip/eval/statistics.h"
#include "actionclip/train/experiment_data.h"

#include "tools/command.h"

namespace actionclip {
namespace {

struct EvaluateOptions {
  ExperimentOptions experiment;
  std::string weights;
  std::string split = "test";
  bool per_class = false;
  bool json = false;

  // zero-shot
  std::string labels;
  std::vector<std::string> lists;
};

Experiment load_with_weights(const EvaluateOptions& options) {
  auto experiment_options = options.experiment;
  override_weights(experiment_options, options.weights);
  return experiment_options.load();
}

// The model that the weights describe, with everything that scoring a split needs.
class SplitScorer {
 public:
  SplitScorer(const Experiment& experiment, const LabelSet& labels, c10::Device device)
      : experiment_(experiment),
        labels_(labels),
        weights_(require_weights(experiment)),
        model_(build_model(weights_)) {
    model_->to(device);
    const auto prompts = make_prompt_generator(experiment.text, make_tokenizer(experiment.text), labels,
                                               weights_.config.text.context_length);
    classifier_ = std::make_unique<Classifier>(model_, token_tensor(prompts), experiment.train.precision);
  }

  EvaluationReport score(const DatasetConfig& split) const {
    const ClipDataset videos(
        read_video_list(split, labels_.size()),
        clip_options(experiment_, weights_.config.vision.image_size, weights_.config.fusion.frames));
    return actionclip::evaluate(*classifier_, videos, labels_, experiment_.eval, experiment_.data);
  }

  const LoadedWeights& weights() const { return weights_; }

 private:
  static LoadedWeights require_weights(const Experiment& experiment) {
    if (experiment.model.weights.empty()) {
      throw Error("there are no weights to evaluate: give --weights FILE, or set model.weights");
    }
    return load_weights(experiment.model.weights.path, experiment.model.frames);
  }

  const Experiment& experiment_;
  const LabelSet& labels_;
  LoadedWeights weights_;
  ActionClip model_;
  std::unique_ptr<Classifier> classifier_;
};

const DatasetConfig& find_split(const Experiment& experiment, const std::string& name) {
  const auto& split = name == "val"     ? experiment.data.val
                      : name == "train" ? experiment.data.train
                                        : experiment.data.test;
  if (split.list.empty()) {
    throw Error(fmt::format("data.{}.list is not set: nothing to evaluate (choose another --split)", name));
  }
  return split;
}

void print_failures(const EvaluationReport& report) {
  for (const auto& video : report.failed)
    spdlog::warn("not scored, counts as wrong: {}: {}", video.path, video.reason);
}

void print_per_class(const EvaluationReport& report, const LabelSet& labels) {
  fmt::print("  {:<40}{:>8}{:>8}{:>8}\n", "label", "videos", "top-1", "top-5");
  for (std::int64_t id = 0; id < labels.size(); ++id) {
    const auto accuracy = report.metrics.of_class(id);
    if (accuracy.samples == 0) continue;
    fmt::print("  {:<40}{:>8}{:>8.1f}{:>8.1f}\n", labels.name(id), accuracy.samples, accuracy.top1,
               accuracy.top5);
  }
}

int evaluate_command(const EvaluateOptions& options) {
  const Experiment experiment = load_with_weights(options);
  const LabelSet labels = read_labels(experiment.data.labels.path);
  const auto& split = find_split(experiment, options.split);
  const SplitScorer scorer(experiment, labels, choose_device(options.experiment.device));
  const auto report = scorer.score(split);
  print_failures(report);
  if (options.json) {
    fmt::print("{}\n", to_json(report).dump(2));
  } else {
    fmt::print("{} ({} labels)\n{}", split.list.string(), labels.size(), to_table(report));
    if (options.per_class) print_per_class(report, labels);
  }
  return kExitDone;
}

// Warns where a label of the "unseen" set is one that the weights say they were trained on.
void check_unseen(const LoadedWeights& weights, const LabelSet& labels) {
  const auto trained = weights.metadata.find(std::string(kLabelsKey));
  if (trained == weights.metadata.end()) return;
  std::set<std::string> names;
  for (const auto& name : nlohmann::json::parse(trained->second)) names.insert(name.get<std::string>());
  const auto seen = std::count_if(labels.names().begin(), labels.names().end(),
                                  [&](const std::string& name) { return names.contains(name); });
  if (seen > 0)
    spdlog::warn("{} of the {} labels were in the training set: this is not zero-shot for them", seen,
                 labels.size());
}

int zero_shot_command(const EvaluateOptions& options) {
  const Experiment experiment = load_with_weights(options);
  const LabelSet labels = read_labels(options.labels.empty() ? experiment.data.labels.path
                                                             : std::filesystem::path(options.labels));
  const SplitScorer scorer(experiment, labels, choose_device(options.experiment.device));
  check_unseen(scorer.weights(), labels);
  std::vector<DatasetConfig> splits;
  for (const auto& list : options.lists) {
    auto split = experiment.data.test;
    split.list.path = std::filesystem::absolute(list);
    splits.push_back(split);
  }
  if (splits.empty()) splits.push_back(find_split(experiment, options.split));
  std::vector<double> top1, top5;
  nlohmann::ordered_json json = {{"labels", labels.size()},
                                 {"chance_top1", 100.0 / static_cast<double>(labels.size())}};
  for (const auto& split : splits) {
    const auto report = scorer.score(split);
    print_failures(report);
    top1.push_back(report.metrics.top1());
    top5.push_back(report.metrics.top5());
    nlohmann::ordered_json entry = {{"list", split.list.string()}};
    entry.update(to_json(report));
    json["splits"].push_back(entry);
    if (!options.json)
      fmt::print("{} ({} labels, none trained on)\n{}", split.list.string(), labels.size(), to_table(report));
  }
  json["top1_mean"] = mean_of(top1);
  json["top1_std"] = deviation_of(top1);
  json["top5_mean"] = mean_of(top5);
  json["top5_std"] = deviation_of(top5);
  if (options.json) {
    fmt::print("{}\n", json.dump(2));
  } else {
    fmt::print("zero-shot over {} split(s): top-1 {:.2f} ± {:.2f}, top-5 {:.2f} ± {:.2f} (chance {:.2f})\n",
               splits.size(), mean_of(top1), deviation_of(top1), mean_of(top5), deviation_of(top5),
               100.0 / static_cast<double>(labels.size()));
  }
  return kExitDone;
}

void add_shared_options(CLI::App& command, EvaluateOptions& options) {
  options.experiment.add_to(command);
  command.add_option("--weights", options.weights,
                     "weights file or checkpoint folder (instead of model.weights)");
  command.add_option("--split", options.split, "train, val or test")
      ->check(CLI::IsMember({"train", "val", "test"}))
      ->capture_default_str();
  command.add_flag("--json", options.json, "print one JSON object");
}

}  // namespace

void add_evaluate_command(CLI::App& program, int& exit_code) {
  auto options = std::make_shared<EvaluateOptions>();
  auto* command = program.add_subcommand("evaluate", "top-1 / top-5 of a model on a split");
  add_shared_options(*command, *options);
  command->add_flag("--per-class", options->per_class, "also a table by class");
  command->footer(
      "Example:\n  actionclip evaluate --config configs/synthetic/finetune.yaml --weights "
      "runs/demo/finetune/checkpoints/best\n"
      "  actionclip evaluate --config configs/kinetics400/vit_b16_8f.yaml --weights k400.pt eval.clips=10 "
      "eval.crops=3 --json");
  command->callback([options, &exit_code] { exit_code = evaluate_command(*options); });
}

void add_zero_shot_command(CLI::App& program, int& exit_code) {
  auto options = std::make_shared<EvaluateOptions>();
  auto* command =
      program.add_subcommand("zero-shot", "evaluate on a label set that the model was not trained on");
  add_shared_options(*command, *options);
  command->add_option("--labels", options->labels, "the unseen labels (instead of data.labels)");
  command->add_option(
      "--list", options->lists,
      "list of test videos with these labels (instead of data.test.list); several give mean ± std");
  command->footer(
      "Example:\n  actionclip zero-shot --config configs/synthetic/finetune.yaml --weights "
      "runs/demo/finetune/checkpoints/best \\\n"
      "      --labels data/synthetic/zero_shot_labels.csv --list data/synthetic/zero_shot.txt");
  command->callback([options, &exit_code] { exit_code = zero_shot_command(*options); });
}

}  // namespace actionclip
