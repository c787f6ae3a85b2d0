// actionclip evaluate: top-1 / top-5 of a model on a split, on the labels that it was trained on.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/json_text.h"
#include "actionclip/eval/class_figures.h"
#include "actionclip/protocols/run_record.h"
#include "actionclip/video/video_list.h"

#include "tools/command.h"
#include "tools/evaluation.h"
#include "tools/protocol_option.h"
#include "tools/results.h"

namespace actionclip {
namespace {

struct Options {
  EvaluationOptions common;
  ProtocolOptions protocol;
  bool per_class = false;
};

void print_per_class(const nlohmann::ordered_json& classes, bool multi_label) {
  const std::vector<std::pair<std::string, std::string>> columns =  // title, key
      multi_label ? std::vector<std::pair<std::string, std::string>>{{"AP", "ap"}}
                  : std::vector<std::pair<std::string, std::string>>{{"top-1", "top1"}, {"top-5", "top5"}};
  fmt::print("  {:<40}{:>8}", "label", "videos");
  for (const auto& [title, key] : columns) fmt::print("{:>8}", title);
  for (const auto& entry : classes) {
    fmt::print("\n  {:<40}{:>8}", entry.at("label").get<std::string>(),
               entry.at("samples").get<std::int64_t>());
    for (const auto& [title, key] : columns) fmt::print("{:>8.1f}", entry.at(key).get<double>());
  }
  fmt::print("\n");
}

void tell(const Options& options, const DatasetConfig& split, const LabelSet& labels,
          const EvaluationReport& report, const std::optional<ProtocolMatch>& protocol) {
  const auto& common = options.common;
  const bool multi_label = report.scores.multi_label;
  auto json = describe(report, common.split, split, protocol);
  const auto classes = class_figures(report.scores);
  if (options.per_class) json["per_class"] = classes;
  if (common.json) {
    fmt::print("{}\n", json_text(json));
  } else {
    fmt::print("{} ({} labels)\n{}", split.list.string(), labels.size(), to_table(report));
    if (protocol) fmt::print("  {}\n", to_text(*protocol));
    if (options.per_class) print_per_class(classes, multi_label);
  }
  json["per_class"] = classes;
  common.output.write("evaluation.json", json_text(json) + "\n");
  if (multi_label) {
    common.output.remove("confusion.csv");
  } else {
    common.output.write("confusion.csv", confusion_csv(report, labels));
  }
}

int evaluate_command(const Options& options) {
  const auto& common = options.common;
  const Experiment experiment = common.load({common.split});
  const auto& split = find_split(experiment, common.split);
  ProtocolCheck protocols(options.protocol, {split});
  const LabelSet labels = read_labels(experiment.data.labels.path);
  auto list = read_video_list(split, &labels);
  common.output.open();
  return run_evaluation(common, experiment, [&](c10::Device device, const auto& group) {
    std::optional<ProtocolMatch> protocol;
    if (group->rank() == 0) {
      protocol = protocols.check(0, list, labels);
      protocols.record();
    }
    const SplitScorer scorer(common, experiment, labels, device, group);
    const WorkTimer timer;
    auto report = scorer.score(std::move(list));
    const auto work = timer.done(report.samples());
    if (group->rank() != 0) return kExitDone;
    note_protocol(protocol, report.scores);
    tell(options, split, labels, report, protocol);
    if (const auto file = common.output.path_of("scores.safetensors")) {
      add_weights_origin(report.scores, scorer.weights().file);
      save_scores(report.scores, *file);
    }
    describe_results(common.output.path(), "evaluate", kEvaluationConfigName, experiment, device,
                     group->world_size(), work);
    return kExitDone;
  });
}

}  // namespace

void add_evaluate_command(CLI::App& program, int& exit_code) {
  auto options = std::make_shared<Options>();
  auto* command = program.add_subcommand("evaluate", "top-1 / top-5 (or mAP) of a model on a split");
  options->common.add_to(*command);
  options->protocol.add_to(*command);
  command->add_flag("--per-class", options->per_class, "also the figures of each class");
  command->footer(
      "Example:\n  actionclip evaluate --config configs/synthetic/finetune.yaml --weights "
      "runs/demo/finetune/checkpoints/best\n"
      "  actionclip evaluate --config configs/kinetics400/vit_b16_8f.yaml --weights k400.pt eval.clips=10 "
      "eval.crops=3 --json\n"
      "Of a list whose videos have several labels: mAP.\n"
      "--output gets evaluation.json (with the classes), the confusion matrix, confusion.csv,\n"
      "scores.safetensors, of which `actionclip rescore` makes figures again, the settings, "
      "evaluation.yaml,\n"
      "machine.json, and report.html, which shows them all.");
  command->callback([options, &exit_code] { exit_code = evaluate_command(*options); });
}

}  // namespace actionclip
