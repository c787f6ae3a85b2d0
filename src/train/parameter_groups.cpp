#include "actionclip/train/parameter_groups.h"

#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "actionclip/train/encoder_layers.h"

namespace actionclip {
namespace {

constexpr const char* kLogitScale = "logit_scale";

struct PartSettings {
  ModelPart part;
  const char* name;
  double lr_ratio;
};

std::vector<PartSettings> part_settings(const LearningRateRatios& ratios) {
  return {{ModelPart::text, "text", 1},
          {ModelPart::image, "image", ratios.image},
          {ModelPart::fusion, "fusion", ratios.fusion},
          {ModelPart::context, "context", ratios.context},
          {ModelPart::classifier, "classifier", ratios.classifier}};
}

// Of L blocks of an encoder: the layer that follows them.
std::int64_t last_layer(ModelPart part, const ActionClipConfig& sizes) {
  return 1 + (part == ModelPart::image ? count_blocks(sizes.vision) : count_blocks(sizes.text));
}

// Of an encoder's parameter.
std::int64_t layer_in(ModelPart part, const std::string& name, const ActionClipConfig& sizes) {
  if (name == kLogitScale) return last_layer(part, sizes);
  return part == ModelPart::image ? layer_of(name, sizes.vision) : layer_of(name, sizes.text);
}

bool learns(const std::string& name, const TrainedParts& trained, const ActionClipConfig& sizes) {
  if (name == kLogitScale) return trained.logit_scale;
  const auto part = part_of(name);
  const auto is_among_last = [&](const std::optional<std::int64_t>& blocks) {
    return !blocks || layer_in(part, name, sizes) >= last_layer(part, sizes) - *blocks;
  };
  switch (part) {
    case ModelPart::image:
      return trained.image && is_among_last(trained.image_blocks);
    case ModelPart::text:
      return trained.text && is_among_last(trained.text_blocks);
    case ModelPart::fusion:
      return trained.fusion;
    case ModelPart::context:
      return trained.context;
    case ModelPart::classifier:
      return trained.classifier;
  }
  return false;
}

// Those of one part, in the order of its layers.
void add_groups(std::vector<ParameterGroup>& groups, const ActionClip& model, const PartSettings& settings,
                const TrainConfig& config) {
  const auto& sizes = model->config();
  const auto part = settings.part;
  const bool layered = config.layer_decay < 1 && (part == ModelPart::image || part == ModelPart::text);
  std::map<std::int64_t, ParameterGroup> by_layer;
  for (const auto& parameter : model->named_parameters()) {
    const auto& name = parameter.key();
    if (part_of(name) != part || !parameter.value().requires_grad()) continue;
    auto& group = by_layer[layered ? layer_in(part, name, sizes) : 0];
    group.names.push_back(name);
    group.parameters.push_back(parameter.value());
  }
  for (auto& [layer, group] : by_layer) {
    group.name = layered ? fmt::format("{}.layer{}", settings.name, layer) : settings.name;
    group.lr_ratio = settings.lr_ratio;
    if (layered)
      group.lr_ratio *= std::pow(config.layer_decay, static_cast<double>(last_layer(part, sizes) - layer));
    group.weight_decay = config.optimizer.weight_decay;
    groups.push_back(std::move(group));
  }
}

}  // namespace

std::vector<ParameterGroup> trainable_groups(ActionClip& model, const TrainConfig& config, bool fix_text) {
  const auto& sizes = model->config();
  const TrainedParts trained = trained_parts(config, fix_text, sizes.classes > 0);
  for (auto& parameter : model->named_parameters())
    parameter.value().set_requires_grad(learns(parameter.key(), trained, sizes));
  std::vector<ParameterGroup> groups;
  for (const auto& settings : part_settings(config.lr_ratio)) add_groups(groups, model, settings, config);
  return groups;
}

}  // namespace actionclip
