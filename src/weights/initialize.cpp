#include "actionclip/weights/initialize.h"

#include <utility>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <boost/describe.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include "actionclip/core/error.h"
#include "actionclip/weights/preprocessing.h"
#include "actionclip/weights/tensor_file.h"

#include "fit_positions.h"
#include "weights/tensor_bounds.h"

namespace actionclip {
namespace {

std::string shape_of(const at::Tensor& tensor) { return shape_string(tensor.sizes().vec()); }

void require_no_findings(const std::vector<std::string>& findings) {
  if (findings.empty()) return;
  throw WeightsError(fmt::format("the weights do not fit the model: {}", listed(findings, "; ")));
}

template <typename T>
std::string value_text(const T& value) {
  return fmt::format("{}", value);
}

std::string value_text(Activation value) { return boost::describe::enum_to_string(value, "?"); }

template <typename T>
void require_same(const char* key, const std::optional<T>& given, const T& trained) {
  if (!given || *given == trained) return;
  throw ConfigError(fmt::format(
      "model.{}: {} is given, but the weights were trained with {}; set it to that or leave it out", key,
      value_text(*given), value_text(trained)));
}

// Gives `setting`, which no shape shows, the value that the weights were trained with.
template <typename T>
void settle(const char* key, std::optional<T>& setting, const T& trained) {
  require_same(key, setting, trained);
  setting = trained;
}

// What no shape shows, for the parts that come from the weights. Heads of another width are not compared:
// load_state_dict() says more, as the shapes differ too.
void settle_encoders(ModelConfig& settled, const LoadedWeights& weights, const LoadedParts& parts) {
  const ActionClipConfig sizes = resolve(settled);
  const ActionClipConfig& trained = weights.config;
  const Told& told = weights.told;
  if (parts.image && told.input) {
    settle("mean", settled.mean, trained.mean);
    settle("std", settled.std, trained.std);
  }
  if (parts.image && told.activation)
    require_same("activation", settled.activation, trained.vision.activation);
  if (parts.text && told.activation) require_same("activation", settled.activation, trained.text.activation);
  if (parts.image && told.heads && sizes.vision.width == trained.vision.width)
    settle("vision.heads", settled.vision.heads, trained.vision.heads);
  if (parts.text && told.end_token) settle("text.end_token", settled.text.end_token, trained.text.end_token);
  const bool text = parts.text && sizes.text.width == trained.text.width;
  const bool fusion = parts.fusion && settled.fusion == FusionType::Transf;
  if (told.heads && (text || (fusion && sizes.fusion.width == trained.fusion.width)))
    settle("text.heads", settled.text.heads, trained.text.heads);
}

// The fusion head's settings that no experiment gives, or that its weights know better.
void take_fusion(const LoadedWeights& weights, TemporalFusionConfig& fusion) {
  const TemporalFusionConfig& trained = weights.config.fusion;
  if (fusion.frames > trained.positions && fusion.type == FusionType::Transf) {
    throw ConfigError(
        fmt::format("model.frames: {} is given, but the fusion head of the weights takes at most {}",
                    fusion.frames, trained.positions));
  }
  fusion.positions = trained.positions;
  fusion.layer_norm_eps = trained.layer_norm_eps;
  if (!weights.told.conv1d_layout) return;
  if (fusion.type == FusionType::Conv_1D && fusion.conv1d_layout != trained.conv1d_layout) {
    spdlog::warn("model.conv1d_layout: {}, as the fusion head of the weights was trained",
                 boost::describe::enum_to_string(trained.conv1d_layout, "?"));
  }
  fusion.conv1d_layout = trained.conv1d_layout;
}

// A visual prompt may be added to weights that were trained without it, but not taken away.
void require_prompt(const char* key, bool given, bool trained) {
  if (given || !trained) return;
  throw ConfigError(fmt::format(
      "model.{}: false, but the image encoder's weights were trained with it; set it to true", key));
}

// All that a weights file holds: the parameters, and the statistics of batch normalisation.
torch::OrderedDict<std::string, at::Tensor> named_tensors(const ActionClip& model) {
  auto tensors = model->named_parameters();
  tensors.update(model->named_buffers());
  return tensors;
}

// Whether the weights were trained on other labels, or in another order, as far as both are known.
bool has_other_labels(const LoadedWeights& weights, const std::vector<std::string>& labels) {
  if (labels.empty()) return false;
  const auto trained = read_text_list(weights, std::string(kLabelsKey));
  return !trained.empty() && trained != labels;
}

// Whether the weights hold the learned context that the model has.
bool holds_context(const LoadedWeights& weights, const LearnedContextConfig& wanted, bool other_labels) {
  const auto& held = weights.config.context;
  const bool same_position = held.position == wanted.position || !weights.described;
  const bool same_labels = wanted.classes == 0 || !other_labels;
  return wanted.length > 0 && held.length == wanted.length && held.classes == wanted.classes &&
         same_position && same_labels;
}

// What becomes of a part, for the log; `own`: it is of each label's own.
const char* start_of(bool loaded, bool own, bool other_labels) {
  if (loaded) return "loaded";
  return own && other_labels ? "fresh, as the labels are others" : "fresh";
}

std::string start_of_context(const LoadedWeights& weights, const LearnedContextConfig& wanted, bool loaded,
                             bool other_labels) {
  if (wanted.length == 0) return weights.config.context.length > 0 ? "left out" : "none";
  const bool own = wanted.classes > 0 && weights.config.context.classes > 0;
  return start_of(loaded, own, other_labels);
}

// ", classifier loaded"; nothing of a model that has none.
std::string start_of_classifier(const LoadedWeights& weights, std::int64_t classes, bool loaded,
                                bool other_labels) {
  if (classes == 0) return "";
  return fmt::format(", classifier {}", start_of(loaded, weights.config.classes > 0, other_labels));
}

// Behind the loading of weights, whose token embeddings these are.
void start_context(ActionClip& model, const std::vector<std::int64_t>& tokens) {
  if (model->context && !tokens.empty())
    model->context->start_from(model->text->token_embedding->weight, tokens);
}

// Throws WeightsError unless `tensors` are what the wanted parameters of the model need, and no others. It
// lists up to twenty findings, those that are surplus last.
void require_fit(const ActionClip& model, const StateDict& tensors,
                 const std::function<bool(const std::string&)>& wanted) {
  const auto parameters = named_tensors(model);
  const auto is_wanted = [&](const std::string& name) { return !wanted || wanted(name); };
  std::vector<std::string> findings;
  for (const auto& parameter : parameters) {
    if (!is_wanted(parameter.key())) continue;
    const auto found = tensors.find(parameter.key());
    if (found == tensors.end()) {
      findings.push_back(fmt::format("missing {} {}", parameter.key(), shape_of(parameter.value())));
    } else if (found->second.sizes() != parameter.value().sizes()) {
      findings.push_back(fmt::format("{} is {} in the file, {} in the model", parameter.key(),
                                     shape_of(found->second), shape_of(parameter.value())));
    }
  }
  for (const auto& [name, tensor] : tensors) {
    if (is_wanted(name) && !parameters.contains(name)) {
      findings.push_back(fmt::format("surplus {} {}", name, shape_of(tensor)));
    }
  }
  require_no_findings(findings);
}

// Gives `parameter` the memory of `tensor` where nothing else has it and it needs no conversion, so that a
// model is not in memory twice; else a copy.
void hand_over(at::Tensor tensor, at::Tensor parameter) {
  const bool alone = tensor.use_count() == 1 && tensor.storage().use_count() == 1;
  const bool same = tensor.scalar_type() == parameter.scalar_type() &&
                    tensor.device() == parameter.device() && tensor.is_contiguous() &&
                    parameter.is_contiguous();
  if (alone && same) {
    parameter.set_data(tensor);
  } else {
    parameter.copy_(tensor);
  }
}

// Runs `load`; its error names the file of the weights too.
template <typename Load>
void naming_file(const LoadedWeights& weights, const Load& load) {
  try {
    load();
  } catch (const WeightsError& problem) {
    throw WeightsError(with_file(weights, problem.what()));
  }
}

}  // namespace

void load_state_dict(ActionClip& model, const StateDict& tensors,
                     const std::function<bool(const std::string&)>& wanted) {
  require_fit(model, tensors, wanted);
  const at::NoGradGuard no_grad;
  for (auto parameter : named_tensors(model)) {
    if (!wanted || wanted(parameter.key())) parameter.value().copy_(tensors.at(parameter.key()));
  }
}

void load_state_dict(ActionClip& model, StateDict&& tensors,
                     const std::function<bool(const std::string&)>& wanted) {
  require_fit(model, tensors, wanted);
  const at::NoGradGuard no_grad;
  for (auto parameter : named_tensors(model)) {
    if (!wanted || wanted(parameter.key()))
      hand_over(std::move(tensors.extract(parameter.key()).mapped()), parameter.value());
  }
  tensors.clear();
}

void load_state_dict(ActionClip& model, const LoadedWeights& weights,
                     const std::function<bool(const std::string&)>& wanted) {
  naming_file(weights, [&] { load_state_dict(model, weights.tensors, wanted); });
}

void load_state_dict(ActionClip& model, LoadedWeights&& weights,
                     const std::function<bool(const std::string&)>& wanted) {
  naming_file(weights, [&] { load_state_dict(model, std::move(weights.tensors), wanted); });
}

StateDict state_dict(const ActionClip& model) {
  StateDict result;
  for (const auto& parameter : named_tensors(model))
    result.emplace(parameter.key(), parameter.value().detach());
  return result;
}

void require_same_input(const ModelConfig& config, const ActionClipConfig& trained) {
  require_same("mean", config.mean, trained.mean);
  require_same("std", config.std, trained.std);
}

ActionClipConfig resolve(const ModelConfig& config, const LoadedWeights& weights, const LoadedParts& parts) {
  const ActionClipConfig& trained = weights.config;
  if (parts.image) {
    require_prompt("temporal_shift", config.temporal_shift, trained.vision.temporal_shift);
    require_prompt("joint", config.joint, trained.vision.joint_frames > 0);
  }
  ModelConfig settled = config;
  settle_encoders(settled, weights, parts);
  ActionClipConfig sizes = resolve(settled);
  if (parts.image && weights.told.activation) sizes.vision.activation = trained.vision.activation;
  if (parts.text && weights.told.activation) sizes.text.activation = trained.text.activation;
  if (parts.fusion && weights.has_fusion && trained.fusion.type == config.fusion)
    take_fusion(weights, sizes.fusion);
  return sizes;
}

ActionClip build_model(const ModelConfig& config, std::uint64_t seed,
                       const std::vector<std::int64_t>& context_tokens,
                       const std::vector<std::string>& labels) {
  at::manual_seed(seed);
  const bool image = config.init.image == InitSource::weights, text = config.init.text == InitSource::weights;
  if (!image && !text) {
    if (!config.weights.empty()) {
      throw ConfigError(
          fmt::format("model.weights is {}, but both encoders start at random: set model.init.image or "
                      "model.init.text to weights, or leave the weights out",
                      config.weights.string()));
    }
    ActionClip model(resolve(config));
    start_context(model, context_tokens);
    return model;
  }
  LoadedWeights weights = load_weights(config.weights.path);
  const bool fusion = weights.has_fusion && weights.config.fusion.type == config.fusion;
  ActionClip model(resolve(config, weights, {.image = image, .text = text, .fusion = fusion}));
  if (image) fit_positions(weights.tensors, state_dict(model));
  const auto& wanted_context = model->config().context;
  const auto classes = model->config().classes;
  const bool other_labels = (classes > 0 || wanted_context.classes > 0) && has_other_labels(weights, labels);
  const bool context = holds_context(weights, wanted_context, other_labels);
  const bool classifier = classes > 0 && weights.config.classes == classes && !other_labels;
  const auto starts = start_of_context(weights, wanted_context, context, other_labels) +
                      start_of_classifier(weights, classes, classifier, other_labels);
  load_state_dict(model, std::move(weights), [&](const std::string& name) {
    switch (part_of(name)) {
      case ModelPart::image:
        return image;
      case ModelPart::fusion:
        return fusion;
      case ModelPart::context:
        return context;
      case ModelPart::classifier:
        return classifier;
      default:
        return text;
    }
  });
  if (!context) start_context(model, context_tokens);
  spdlog::info("weights: {} (image {}, text {}, fusion {}, context {})", config.weights.string(),
               image ? "loaded" : "random", text ? "loaded" : "random", fusion ? "loaded" : "fresh", starts);
  return model;
}

ActionClip build_model(const LoadedWeights& weights) {
  ActionClip model(weights.config);
  load_state_dict(model, weights);
  return model;
}

ActionClip take_model(LoadedWeights& weights) {
  ActionClip model(weights.config);
  load_state_dict(model, std::move(weights));
  return model;
}

}  // namespace actionclip
