#include "actionclip/train/parameter_groups.h"

namespace actionclip {
namespace {

struct PartSettings {
  ModelPart part;
  const char* name;
  double lr_ratio;
  bool trainable;
};

std::vector<PartSettings> part_settings(const TrainConfig& config, bool fix_text) {
  const bool towers = config.task != TrainTask::prompt;
  return {
      {ModelPart::text, "text", 1.0, towers && !fix_text},
      {ModelPart::image, "image", config.lr_ratio.image, towers},
      {ModelPart::fusion, "fusion", config.lr_ratio.fusion, config.task != TrainTask::pretrain},
  };
}

}  // namespace

std::vector<ParameterGroup> trainable_groups(ActionClip& model, const TrainConfig& config, bool fix_text) {
  std::vector<ParameterGroup> groups;
  for (const auto& settings : part_settings(config, fix_text)) {
    model->set_trainable(settings.part, settings.trainable);
    // The method detaches the text vectors; the scale of the similarities goes on learning.
    if (settings.part == ModelPart::text && config.task != TrainTask::prompt) {
      model->logit_scale.set_requires_grad(true);
    }
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
