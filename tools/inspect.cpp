// actionclip inspect: looking at what a run would use.

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <boost/describe.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/error.h"
#include "actionclip/core/json_text.h"
#include "actionclip/model/cost.h"
#include "actionclip/text/labels.h"
#include "actionclip/text/tokenizer.h"
#include "actionclip/train/published_config.h"
#include "actionclip/train/settle_text.h"
#include "actionclip/train/step_settings.h"

#include "tools/command.h"

namespace actionclip {
namespace {

constexpr std::int64_t kLeastBesideContext = 3;  // tokens: start, one of the label, end

struct ModelOptions {
  std::string config;
  std::vector<std::string> overrides;
  std::int64_t ranks = 1;
  std::optional<std::int64_t> text_length;
  bool json = false;
};

// What the figures are of.
struct Costs {
  PerPart<std::int64_t> parameters, trained;
  PerPart<double> forward;   // FLOPs of a video and of a text
  PerPart<double> training;  // FLOPs of a step on a rank
  StepMemory memory;
  StepTraffic traffic;
};

std::int64_t choose_text_length(const ModelOptions& options, const ActionClipConfig& sizes) {
  const std::int64_t longest = sizes.text.context_length, learned = sizes.context.length;
  if (options.text_length && *options.text_length > longest) {
    throw UsageError(fmt::format("--text-length {}: longer than model.text.context_length = {}",
                                 *options.text_length, longest));
  }
  if (options.text_length && learned > 0 && *options.text_length < learned + kLeastBesideContext) {
    throw UsageError(fmt::format(
        "--text-length {}: shorter than {}, the model.context.length = {} vectors with a token of the label, "
        "start and end",
        *options.text_length, learned + kLeastBesideContext, learned));
  }
  return options.text_length.value_or(usual_text_length(sizes));
}

void check_ranks(std::int64_t ranks, const TrainConfig& train) {
  const std::int64_t part = train.batch_size / train.accumulate_steps;
  if (part % ranks == 0) return;
  throw UsageError(fmt::format(
      "--ranks {}: train.batch_size = {} in {} part(s) (train.accumulate_steps) leaves {} videos a part, "
      "which cannot be divided evenly among the ranks",
      ranks, train.batch_size, train.accumulate_steps, part));
}

Costs compute_costs(const ActionClipConfig& sizes, const StepSettings& step) {
  return {.parameters = count_parameters(sizes),
          .trained = count_trained(sizes, step.trained),
          .forward = forward_flops(sizes, step),
          .training = training_flops(sizes, step),
          .memory = step_memory(sizes, step),
          .traffic = step_traffic(sizes, step)};
}

template <typename T>
nlohmann::ordered_json to_json(const PerPart<T>& parts) {
  return {{"image", parts.image},           {"text", parts.text},
          {"fusion", parts.fusion},         {"context", parts.context},
          {"classifier", parts.classifier}, {"total", parts.total()}};
}

nlohmann::ordered_json to_json(const Experiment& experiment, const StepSettings& step, const Costs& costs) {
  const auto& [parameters, trained, forward, training, memory, traffic] = costs;
  return {{"computed_not_measured", true},
          {"arch", experiment.model.arch},
          {"task", boost::describe::enum_to_string(experiment.train.task, "")},
          {"precision", boost::describe::enum_to_string(step.precision, "")},
          {"frames", step.frames},
          {"text_length", step.text_length},
          {"class_texts", step.class_texts},
          {"batch_size", step.batch_size},
          {"accumulate_steps", step.accumulate_steps},
          {"ranks", step.ranks},
          {"activation_checkpointing", step.activation_checkpointing},
          {"parameters", to_json(parameters)},
          {"trained_parameters", to_json(trained)},
          {"forward_flops",
           {{"image_of_video", forward.image},
            {"fusion_of_video", forward.fusion},
            {"classifier_of_video", forward.classifier},
            {"video", forward.image + forward.fusion + forward.classifier},
            {"text", forward.text}}},
          {"training_flops_of_rank", to_json(training)},
          {"memory_of_rank",
           {{"weights", memory.weights},
            {"low_precision_weights", memory.low_precision},
            {"gradients", memory.gradients},
            {"optimizer", memory.optimizer},
            {"average", memory.average},
            {"kept_activations", memory.kept_activations},
            {"working_memory", memory.working_memory},
            {"total", memory.total()}}},
          {"sent_by_rank",
           {{"gradients", traffic.gradients},
            {"features", traffic.features},
            {"label_ids", traffic.label_ids},
            {"total", traffic.total()}}}};
}

using Rows = std::vector<std::pair<std::string, double>>;

// Rows of 0 that not every model has are left out.
Rows without_absent(Rows rows, std::initializer_list<std::string_view> optional) {
  std::erase_if(rows, [&](const auto& row) {
    return row.second == 0 && std::find(optional.begin(), optional.end(), row.first) != optional.end();
  });
  return rows;
}

void print_rows(const std::string& title, const Rows& rows, double unit) {
  fmt::print("{}\n", title);
  for (const auto& [name, value] : rows) fmt::print("  {:<44}{:>14.3f}\n", name, value / unit);
}

void print_parameters(const Costs& costs) {
  const auto &all = costs.parameters, &trained = costs.trained;
  const auto row = [](const char* name, std::int64_t number, std::int64_t learn) {
    fmt::print("  {:<44}{:>14}{:>14}\n", name, number, learn);
  };
  fmt::print("{:<46}{:>14}{:>14}\n", "parameters", "all", "trained");
  row("image", all.image, trained.image);
  row("text (with logit_scale)", all.text, trained.text);
  row("fusion", all.fusion, trained.fusion);
  if (all.context > 0) row("learned context", all.context, trained.context);
  if (all.classifier > 0) row("classifier", all.classifier, trained.classifier);
  row("total", all.total(), trained.total());
}

void print_table(const Experiment& experiment, const StepSettings& step, const Costs& costs) {
  constexpr double kGiga = 1e9, kTera = 1e12, kMiB = 1024.0 * 1024, kGiB = 1024 * kMiB;
  const auto& [parameters, trained, forward, training, memory, traffic] = costs;
  fmt::print("{}, {} frame(s), {}texts of {} tokens; {}, {}, batch {} in {} part(s), {} rank(s){}\n",
             experiment.model.arch, step.frames,
             step.class_texts > 0 ? fmt::format("all {} classes' ", step.class_texts) : "", step.text_length,
             boost::describe::enum_to_string(experiment.train.task, ""),
             boost::describe::enum_to_string(step.precision, ""), step.batch_size, step.accumulate_steps,
             step.ranks, step.activation_checkpointing ? ", activation checkpointing" : "");
  fmt::print("These figures are computed from the sizes, not measured.\n");
  print_parameters(costs);
  print_rows("forward pass, GFLOPs (2 a multiply-add)",
             without_absent({{"a video: image encoder, all frames", forward.image},
                             {"a video: fusion", forward.fusion},
                             {"a video: classifier", forward.classifier},
                             {"a text", forward.text}},
                            {"a video: classifier"}),
             kGiga);
  print_rows(fmt::format("training step of a rank ({} videos), TFLOPs", step.pairs_of_rank()),
             without_absent({{"image", training.image},
                             {"text", training.text},
                             {"fusion", training.fusion},
                             {"classifier", training.classifier},
                             {"total", training.total()}},
                            {"classifier"}),
             kTera);
  print_rows("peak memory of a rank in tensors, GiB",
             without_absent({{"weights", memory.weights},
                             {"weights copied for bf16 or fp16", memory.low_precision},
                             {"gradients", memory.gradients},
                             {"optimizer", memory.optimizer},
                             {"running average of the weights", memory.average},
                             {"activations kept for the backward pass", memory.kept_activations},
                             {"working memory of a pass", memory.working_memory},
                             {"total", memory.total()}},
                            {"running average of the weights"}),
             kGiB);
  print_rows("sent by a rank in a step, MiB (rings)",
             {{"gradients", traffic.gradients},
              {"features and their gradients", traffic.features},
              {"label ids", traffic.label_ids},
              {"total", traffic.total()}},
             kMiB);
}

// Of the data's label set, where a step's cost depends on it; else 0.
std::int64_t count_labels(const Experiment& experiment) {
  const auto& model = experiment.model;
  const bool has_parameters = model.classifier || (model.context.length > 0 && model.context.class_specific);
  if (!has_parameters && !compares_all_classes(experiment)) return 0;
  if (experiment.data.labels.empty()) {
    throw ConfigError(
        fmt::format("data.labels: not given, but {} for each label; set it to the file with their names",
                    has_parameters ? "the model has parameters" : "a step encodes a text"));
  }
  return read_labels(experiment.data.labels.path).size();
}

// What training takes from a SentencePiece vocabulary, where the settings do not say it.
void settle_vocabulary(Experiment& experiment) {
  const auto& text = experiment.text;
  if (text.tokenizer != TokenizerKind::sentencepiece || experiment.model.text.vocabulary_size) return;
  std::error_code ignored;
  if (!std::filesystem::exists(text.vocabulary.path, ignored)) {
    throw ConfigError(fmt::format(
        "text.vocabulary: {}: no such file, but the text encoder has parameters for each of its pieces; put "
        "it there, or set model.text.vocabulary_size to their number",
        text.vocabulary.string()));
  }
  settle_text(experiment.model, *make_tokenizer(text));
}

void inspect_model(const ModelOptions& options) {
  auto experiment = load_experiment(options.config, options.overrides, /*unread=*/{""});
  const std::int64_t labels = count_labels(experiment);
  experiment.model.labels = labels;
  settle_vocabulary(experiment);
  const auto sizes = resolve(experiment.model);
  check_ranks(options.ranks, experiment.train);
  const auto step =
      step_settings(experiment, sizes, options.ranks, choose_text_length(options, sizes), labels);
  const auto costs = compute_costs(sizes, step);
  if (options.json) {
    fmt::print("{}\n", json_text(to_json(experiment, step, costs)));
  } else {
    print_table(experiment, step, costs);
  }
}

void add_model(CLI::App& inspect) {
  auto options = std::make_shared<ModelOptions>();
  auto* command =
      inspect.add_subcommand("model",
                             "parameters of the experiment's model, and what a training step takes: "
                             "operations, memory, communication; computed, not measured");
  command->add_option("--config", options->config, "the experiment's YAML file")->required();
  command->add_option("overrides", options->overrides,
                      "settings that replace the file's, e.g. train.batch_size=64");
  command->add_option("--ranks", options->ranks, "processes that share a step, as of train --nproc")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  command
      ->add_option("--text-length", options->text_length,
                   fmt::format("tokens of the longest text of a batch, start, end and learned context "
                               "included; default: {} and those of the context",
                               kUsualTextLength))
      ->check(CLI::Range(2, 65536));
  command->add_flag("--json", options->json, "print JSON: numbers, FLOPs and bytes");
  command->footer(
      "Memory is that of tensors; what the allocator and libraries take comes on top.\n"
      "Neither data nor weights need be there, but the labels where a step has parameters or texts "
      "for each\n(model.classifier, model.context.class_specific, train.objective: cross_entropy), and a "
      "SentencePiece\nvocabulary unless model.text.vocabulary_size says its size.\n"
      "Example:\n  actionclip inspect model --config configs/kinetics400/vit_b16_8f.yaml --ranks 8 "
      "train.batch_size=256");
  command->callback([options] { inspect_model(*options); });
}

struct ConfigOptions {
  std::string file;
  std::vector<std::string> overrides;
  std::string published;
};

void inspect_config(const ConfigOptions& options) {
  if (options.file.empty() == options.published.empty())
    throw UsageError("inspect config: give one of FILE, an experiment, and --published FILE");
  fmt::print("{}", options.published.empty()
                       ? to_yaml(load_experiment(options.file, options.overrides, /*unread=*/{""}))
                       : map_published_config(options.published));
}

void add_config(CLI::App& inspect) {
  auto options = std::make_shared<ConfigOptions>();
  auto* command = inspect.add_subcommand(
      "config", "the experiment with its base files, defaults and overrides resolved, as YAML");
  command->add_option("file", options->file, "the experiment's YAML file");
  command->add_option("overrides", options->overrides,
                      "settings that replace the file's, e.g. train.batch_size=64");
  command->add_option("--published", options->published,
                      "a YAML file of the method's published Python code: prints it as an experiment, with a "
                      "comment for each difference");
  command->footer(
      "Example:\n  actionclip inspect config configs/synthetic/finetune.yaml train.batch_size=64\n"
      "  actionclip inspect config --published k400_vit_b16.yaml > own.yaml");
  command->callback([options] { inspect_config(*options); });
}

}  // namespace

void add_inspect_command(CLI::App& program, int& exit_code) {
  auto* command = program.add_subcommand("inspect", "look at what a run would use");
  command->require_subcommand(1);
  add_config(*command);
  add_model(*command);
  add_inspect_samples(*command);
  add_inspect_weights(*command, exit_code);
}

}  // namespace actionclip
