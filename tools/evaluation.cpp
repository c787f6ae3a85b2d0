#include "tools/evaluation.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

#include <boost/describe.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <torch/version.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"
#include "actionclip/distributed/agreement.h"
#include "actionclip/distributed/join_ranks.h"
#include "actionclip/text/csv.h"
#include "actionclip/train/settle_text.h"
#include "actionclip/weights/tensor_hash.h"

#include "tools/weights_report.h"

namespace actionclip {
namespace {

constexpr std::array<const char*, 3> kSplits = {"train", "val", "test"};

// What no tensor's shape shows: the experiment's, where the weights do not tell it.
constexpr std::array<std::string_view, 6> kShownByNoShape = {
    "model.frames", "model.mean", "model.std", "model.vision.heads", "model.text.heads", "model.activation"};

std::string_view key_of(std::string_view override_text) {
  return override_text.substr(0, override_text.find('='));
}

[[noreturn]] void refuse(const std::string& override_text, const std::string& reason) {
  throw UsageError(fmt::format("override '{}': {}", override_text, reason));
}

void refuse_size_overrides(const std::vector<std::string>& overrides) {
  for (const auto& text : overrides) {
    const auto key = key_of(text);
    if (key != "model" && !key.starts_with("model.")) continue;
    if (key == "model.weights" || std::ranges::find(kShownByNoShape, key) != kShownByNoShape.end()) continue;
    refuse(text, "without effect, as the weights say how the model is built; leave it out");
  }
}

std::string activation_name(Activation activation) {
  return boost::describe::enum_to_string(activation, "?");
}

// Refuses overrides that are not what the model has.
void refuse_other_overrides(const std::vector<std::string>& overrides, const ModelConfig& given,
                            const ActionClipConfig& model) {
  for (const auto& text : overrides) {
    const auto require = [&](std::string_view key, const auto& value, const auto& own) {
      if (key_of(text) == key && value != own)
        refuse(text, fmt::format("the weights are of a model that has {}; leave it out", own));
    };
    require("model.frames", given.frames, model.fusion.frames);
    require("model.mean", given.mean, model.mean);
    require("model.std", given.std, model.std);
    require("model.vision.heads", given.vision.heads, model.vision.heads);
    require("model.text.heads", given.text.heads, model.text.heads);
    if (given.activation)
      require("model.activation", activation_name(*given.activation), activation_name(model.text.activation));
  }
}

// What neither the tensors nor a file beside them tell. Heads only to an encoder of the same width: those of
// another one say nothing about it.
void take_from_experiment(ModelConfig given, const Tokenizer& tokenizer, LoadedWeights& weights) {
  settle_text(given, tokenizer);
  const ActionClipConfig sizes = resolve(given);
  const Told& told = weights.told;
  ActionClipConfig& model = weights.config;
  if (!told.input) {
    model.mean = sizes.mean;
    model.std = sizes.std;
  }
  if (!told.heads && sizes.vision.width == model.vision.width) model.vision.heads = sizes.vision.heads;
  if (!told.heads && sizes.text.width == model.text.width)
    model.text.heads = model.fusion.heads = sizes.text.heads;
  if (!told.activation) {
    model.vision.activation = sizes.vision.activation;
    model.text.activation = sizes.text.activation;
  }
  if (!told.end_token) model.text.end_token = sizes.text.end_token;
  if (!told.temporal_shift) model.vision.temporal_shift = sizes.vision.temporal_shift;
  if (!told.conv1d_layout) model.fusion.conv1d_layout = sizes.fusion.conv1d_layout;
  Told known = told;
  known.activation = true;
  known.heads =
      told.heads || (sizes.vision.width == model.vision.width && sizes.text.width == model.text.width);
  warn_of_assumed(weights, known);
  if (!weights.described) model.context.position = sizes.context.position;
  require_buildable(model);
}

}  // namespace

void EvaluationOptions::add_to(CLI::App& command) {
  experiment.add_to(command);
  command.add_option("--weights", weights, "weights file or checkpoint folder (instead of model.weights)");
  command.add_option("--split", split, "train, val or test")
      ->check(CLI::IsMember({"train", "val", "test"}))
      ->capture_default_str();
  output.add_to(command);
  text_cache.add_to(command);
  command.add_flag("--json", json, "print one JSON object");
}

Experiment EvaluationOptions::load(const std::vector<std::string>& read_splits, UnreadPaths unread) const {
  refuse_size_overrides(experiment.overrides);
  for (const char* name : kSplits) {
    if (std::find(read_splits.begin(), read_splits.end(), name) == read_splits.end())
      unread.push_back(fmt::format("data.{}", name));
  }
  auto with_weights = experiment;
  override_weights(with_weights, weights);
  // How the experiment began does not matter here: every part comes from the weights.
  if (!weights.empty()) {
    with_weights.overrides.insert(with_weights.overrides.end(),
                                  {"model.init.image=weights", "model.init.text=weights"});
  }
  return with_weights.load(unread);
}

const DatasetConfig& find_split(const Experiment& experiment, const std::string& name) {
  const auto& split = name == "val"     ? experiment.data.val
                      : name == "train" ? experiment.data.train
                                        : experiment.data.test;
  if (split.list.empty()) {
    throw Error(fmt::format("data.{}.list is not set: nothing to evaluate (choose another --split)", name));
  }
  return split;
}

LoadedWeights load_whole(const EvaluationOptions& options, const Experiment& experiment) {
  if (experiment.model.weights.empty()) {
    throw Error("there are no weights to evaluate: give --weights FILE, or set model.weights");
  }
  auto weights = load_weights(experiment.model.weights.path, experiment.model.frames);
  if (!weights.described) take_from_experiment(experiment.model, *make_tokenizer(experiment.text), weights);
  refuse_other_overrides(options.experiment.overrides, experiment.model, weights.config);
  require_same_input(experiment.model, weights.config);
  return weights;
}

SplitScorer::SplitScorer(const EvaluationOptions& options, const Experiment& experiment,
                         const LabelSet& labels, c10::Device device,
                         const std::shared_ptr<ProcessGroup>& group)
    : SplitScorer(load_whole(options, experiment), experiment, labels, device, group,
                  options.text_cache.open(group->rank())) {}

SplitScorer::SplitScorer(LoadedWeights weights, const Experiment& experiment, const LabelSet& labels,
                         c10::Device device, std::shared_ptr<ProcessGroup> group, const TextCache& text_cache)
    : experiment_(experiment),
      labels_(labels),
      group_(std::move(group)),
      tokenizer_(make_tokenizer(experiment.text)),
      weights_(std::move(weights)),
      model_(take_model(weights_)),
      text_cache_(text_cache) {
  require_vocabulary(read_preprocessing(weights_), *tokenizer_, experiment.text, "text.vocabulary");
  require_fit(weights_.config.text, *tokenizer_);
  require_classified(weights_, labels);
  require_labels_of_context(weights_, labels);
  model_->to(device);
  const auto generator = make_prompt_generator(experiment.text, tokenizer_, labels, weights_.config);
  templates_ = generator.templates();
  prompts_ = text_input(generator);
  classifier_ = std::make_unique<Classifier>(model_, *prompts_, experiment.train.precision,
                                             experiment.eval.ensemble, text_cache_);
}

std::optional<at::Tensor> SplitScorer::embed_names(const LabelSet& labels) const {
  const auto& config = weights_.config;
  if (config.classes > 0 || config.context.classes > 0) return std::nullopt;
  const auto prompts =
      text_input(PromptGenerator(tokenizer_, labels.names(), {"{}"}, config.text.context_length,
                                 /*truncate=*/true, Descriptions(), placeholders_of(config.context)));
  ActionClip model = model_;  // shares it
  return text_cache_.embeddings(model, prompts, experiment_.train.precision)[0].cpu();
}

std::string SplitScorer::tensors_sha256() const {
  std::string weights;
  for (const auto& [name, tensor] : state_dict(model_)) weights += name + tensor_hash(tensor);
  return sha256_of(weights);
}

// Ranks that score something else each would add it up to figures of nothing.
void SplitScorer::require_same_on_ranks(const VideoList& list) const {
  if (group_->world_size() == 1) return;
  require_agreement(*group_, {{"configuration", sha256_of(to_yaml(experiment_))},
                              {"list of videos", list.fingerprint()},
                              {"set of labels, templates or vocabulary", tensor_hash(prompts_->tokens)},
                              {"set of weights", tensors_sha256()},
                              {"version of torch", TORCH_VERSION}});
}

ClipDatasetOptions SplitScorer::clips() const {
  return clip_options(experiment_, weights_.config.vision.image_size, weights_.config.fusion.frames,
                      labels_.size());
}

EvaluationReport SplitScorer::score(VideoList list) const {
  require_same_on_ranks(list);
  const ClipDataset videos(std::move(list), clips());
  auto report = evaluate(*classifier_, videos, labels_, experiment_.eval, experiment_.data, group_);
  require_finite_scores(report.scores, experiment_.data.max_failed_share);
  return report;
}

int run_evaluation(const EvaluationOptions& options, const Experiment& experiment,
                   const std::function<int(c10::Device, const std::shared_ptr<ProcessGroup>&)>& work) {
  const auto environment = enter_ranks();
  const auto device = choose_device(options.experiment.device, environment);
  const auto group = join_ranks(environment, experiment.distributed, device);
  return run_on_ranks(*group, [&] { return work(device, group); });
}

nlohmann::ordered_json describe(const EvaluationReport& report) {
  auto json = to_json(report);
  json["failed_videos"] = nlohmann::ordered_json::array();
  for (const auto& video : report.failed)
    json["failed_videos"].push_back({{"path", video.path}, {"reason", video.reason}});
  return json;
}

nlohmann::ordered_json describe(const EvaluationReport& report, const std::string& split,
                                const DatasetConfig& source, const std::optional<ProtocolMatch>& protocol) {
  auto json = describe(report);
  json["split"] = split;
  json["list"] = source.list.string();
  if (protocol) json["protocol"] = to_json(*protocol);
  return json;
}

void add_weights_origin(VideoScores& scores, const std::filesystem::path& weights) {
  scores.origin["weights"] = weights.string();
  scores.origin["weights_sha256"] = sha256_of_file(weights);
}

std::string confusion_csv(const EvaluationReport& report, const LabelSet& labels) {
  std::string text = "label";
  for (const auto& name : labels.names()) text += "," + csv_field(name);
  text += '\n';
  for (std::int64_t id = 0; id < labels.size(); ++id) {
    text += csv_field(labels.name(id));
    for (std::int64_t predicted = 0; predicted < labels.size(); ++predicted)
      text += fmt::format(",{}", report.metrics.confusion(id, predicted));
    text += '\n';
  }
  return text;
}

}  // namespace actionclip
