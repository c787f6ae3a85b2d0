#include "actionclip/train/step_settings.h"

#include <algorithm>

namespace actionclip {
namespace {

// Numbers that the optimiser keeps of each parameter.
std::int64_t optimizer_slots(const OptimizerConfig& config) {
  if (config.kind != OptimizerKind::sgd) return 2;
  return config.momentum == 0 ? 0 : 1;
}

}  // namespace

bool compares_all_classes(const Experiment& experiment) {
  return experiment.train.objective == Objective::cross_entropy && !experiment.model.classifier;
}

std::int64_t usual_text_length(const ActionClipConfig& sizes) {
  return std::min(kUsualTextLength + sizes.context.length, sizes.text.context_length);
}

StepSettings step_settings(const Experiment& experiment, const ActionClipConfig& sizes, std::int64_t ranks,
                           std::int64_t text_length, std::int64_t labels) {
  const auto& train = experiment.train;
  const bool stills = train.task == TrainTask::pretrain;
  return {.batch_size = train.batch_size,
          .accumulate_steps = train.accumulate_steps,
          .ranks = ranks,
          .frames = stills ? 1 : sizes.fusion.frames,
          .text_length = text_length,
          .class_texts = compares_all_classes(experiment) ? labels : 0,
          .fused = !stills,
          .trained = trained_parts(train, experiment.text.fix_text, experiment.model.classifier),
          .precision = train.precision,
          .activation_checkpointing = train.activation_checkpointing,
          .optimizer_slots = optimizer_slots(train.optimizer),
          .averaged = train.ema_decay > 0};
}

}  // namespace actionclip
