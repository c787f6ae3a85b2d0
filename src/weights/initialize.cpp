#include "actionclip/weights/initialize.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include "actionclip/core/error.h"
#include "actionclip/weights/tensor_file.h"

namespace actionclip {
namespace {

std::string shape_of(const at::Tensor& tensor) { return shape_string(tensor.sizes().vec()); }

void require_no_findings(const std::vector<std::string>& findings) {
  if (findings.empty()) return;
  throw WeightsError(fmt::format("the weights do not fit the model: {}", fmt::join(findings, "; ")));
}

template <typename T>
void require_same(const char* key, const std::optional<T>& given, const T& trained) {
  if (!given || *given == trained) return;
  throw ConfigError(fmt::format(
      "model.{}: {} is given, but the weights were trained with {}; set it to that or leave it out", key,
      *given, trained));
}

// Gives `setting`, which no shape shows, the value that the weights were trained with.
template <typename T>
void settle(const char* key, std::optional<T>& setting, const T& trained) {
  require_same(key, setting, trained);
  setting = trained;
}

}  // namespace

void load_state_dict(ActionClip& model, const StateDict& tensors,
                     const std::function<bool(const std::string&)>& wanted) {
  const auto parameters = model->named_parameters();
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
  const at::NoGradGuard no_grad;
  for (auto parameter : parameters) {
    if (is_wanted(parameter.key())) parameter.value().copy_(tensors.at(parameter.key()));
  }
}

void load_state_dict(ActionClip& model, const LoadedWeights& weights,
                     const std::function<bool(const std::string&)>& wanted) {
  try {
    load_state_dict(model, weights.tensors, wanted);
  } catch (const WeightsError& problem) {
    throw WeightsError(with_file(weights, problem.what()));
  }
}

StateDict state_dict(const ActionClip& model) {
  StateDict result;
  for (const auto& parameter : model->named_parameters())
    result.emplace(parameter.key(), parameter.value().detach());
  return result;
}

void require_same_input(const ModelConfig& config, const ActionClipConfig& trained) {
  require_same("mean", config.mean, trained.mean);
  require_same("std", config.std, trained.std);
}

// Heads of another width are not compared: load_state_dict() says more, as the shapes differ too.
ActionClipConfig resolve(const ModelConfig& config, const LoadedWeights& weights, const LoadedParts& parts) {
  const ActionClipConfig sizes = resolve(config);
  if (!weights.described) return sizes;
  const ActionClipConfig& trained = weights.config;
  ModelConfig settled = config;
  if (parts.image) {
    settle("mean", settled.mean, trained.mean);
    settle("std", settled.std, trained.std);
    if (sizes.vision.width == trained.vision.width)
      settle("vision.heads", settled.vision.heads, trained.vision.heads);
  }
  const bool text = parts.text && sizes.text.width == trained.text.width;
  const bool fusion = parts.fusion && config.fusion == FusionType::Transf;
  if (text || (fusion && sizes.fusion.width == trained.fusion.width))
    settle("text.heads", settled.text.heads, trained.text.heads);
  return resolve(settled);
}

ActionClip build_model(const ModelConfig& config, std::uint64_t seed) {
  at::manual_seed(seed);
  const bool image = config.init.image == InitSource::weights, text = config.init.text == InitSource::weights;
  if (!image && !text) {
    if (!config.weights.empty()) {
      throw ConfigError(
          fmt::format("model.weights is {}, but both encoders start at random: set model.init.image or "
                      "model.init.text to weights, or leave the weights out",
                      config.weights.string()));
    }
    return ActionClip(resolve(config));
  }
  const LoadedWeights weights = load_weights(config.weights.path);
  const bool fusion = weights.has_fusion && weights.config.fusion.type == config.fusion;
  ActionClip model(resolve(config, weights, {.image = image, .text = text, .fusion = fusion}));
  load_state_dict(model, weights, [&](const std::string& name) {
    switch (part_of(name)) {
      case ModelPart::image:
        return image;
      case ModelPart::fusion:
        return fusion;
      default:
        return text;
    }
  });
  spdlog::info("weights: {} (image {}, text {}, fusion {})", config.weights.string(),
               image ? "loaded" : "random", text ? "loaded" : "random", fusion ? "loaded" : "fresh");
  return model;
}

ActionClip build_model(const LoadedWeights& weights) {
  ActionClip model(weights.config);
  load_state_dict(model, weights);
  return model;
}

}  // namespace actionclip
