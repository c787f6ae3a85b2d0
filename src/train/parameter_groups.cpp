#include "actionclip/train/parameter_groups.h"

namespace actionclip {
namespace {

struct PartSettings {
  ModelPart part;
  const char* name;
  double lr_ratio;
  bool trainable;
};

std::vector<PartSettings> part_settings(const TrainConfig& config, const TrainedParts& trained) {
  return {
      {ModelPart::text, "text", 1.0, trained.text},
      {ModelPart::image, "image", config.lr_ratio.image, trained.image},
      {ModelPart::fusion, "fusion", config.lr_ratio.fusion, trained.fusion},
  };
}

}  // namespace

std::vector<ParameterGroup> trainable_groups(ActionClip& model, const TrainConfig& config, bool fix_text) {
  const TrainedParts trained = trained_parts(config.task, fix_text);
  std::vector<ParameterGroup> groups;
  for (const auto& settings : part_settings(config, trained)) {
    model->set_trainable(settings.part, settings.trainable);
    if (settings.part == ModelPart::text) model->logit_scale.set_requires_grad(trained.logit_scale);
    ParameterGroup group;
    group.name = settings.name;
    group.lr_ratio = settings.lr_ratio;
    group.weight_decay = config.optimizer.weight_decay;
    for (const auto& parameter : model->named_parameters()) {
      if (part_of(parameter.key()) != settings.part || !parameter.value().requires_grad()) continue;
      group.names.push_back(parameter.key());
      group.parameters.push_back(parameter.value());
    }
    if (!group.parameters.empty()) groups.push_back(std::move(group));
  }
  return groups;
}

}  // namespace actionclip
