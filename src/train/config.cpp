#include "actionclip/train/config.h"

#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace actionclip {
namespace {

// A decay of 1 would never take in anything new; all of a target smoothed leaves nothing of the label.
void check_share(ConfigChecker& checker, std::string_view key, double value) {
  if (!(value >= 0 && value < 1)) {
    checker.error(key, fmt::format("must be at least 0 and less than 1, found {}", value));
  }
}

void check_blocks(const TrainConfig& config, ConfigChecker& checker) {
  for (const auto& [key, blocks] :
       {std::pair("image_blocks", config.image_blocks), std::pair("text_blocks", config.text_blocks)}) {
    if (!blocks) continue;
    checker.at_least(key, static_cast<double>(*blocks), 0);
    if (*blocks > 0 && config.task == TrainTask::prompt)
      checker.error(key,
                    "train.task: prompt freezes both encoders; leave it out, or set the task to finetune");
  }
}

}  // namespace

TrainedParts trained_parts(const TrainConfig& config, bool fix_text, bool classifier) {
  const bool encoders = config.task != TrainTask::prompt, videos = config.task != TrainTask::pretrain;
  const bool texts = !classifier;  // otherwise no text is encoded
  return {.image = encoders && config.image_blocks != 0,
          .text = encoders && texts && !fix_text && config.text_blocks != 0,
          .fusion = videos && !config.fix_fusion,
          .context = videos && texts,
          .classifier = videos && classifier,
          .logit_scale = encoders && texts,
          .image_blocks = config.image_blocks,
          .text_blocks = config.text_blocks};
}

void OptimizerConfig::check(ConfigChecker& checker) const {
  check_share(checker, "beta1", beta1);
  check_share(checker, "beta2", beta2);
  check_share(checker, "momentum", momentum);
  checker.greater_than("eps", eps, 0);
  checker.at_least("weight_decay", weight_decay, 0);
}

void ScheduleConfig::check(ConfigChecker& checker) const {
  checker.at_least("warmup_epochs", warmup_epochs, 0);
  checker.at_least("stop_epoch", stop_epoch, 0);
  checker.greater_than("gamma", gamma, 0);
  double before = 0;
  for (const double milestone : milestones) {
    if (!(milestone > before)) {
      checker.error("milestones",
                    fmt::format("must be positive and increasing, found {} after {}", milestone, before));
      break;
    }
    before = milestone;
  }
  if (kind == ScheduleKind::multistep && milestones.empty()) {
    checker.error("milestones", "a multistep schedule needs at least one, as in [30, 40]");
  }
}

void MixConfig::check(ConfigChecker& checker) const {
  checker.at_least("mixup_alpha", mixup_alpha, 0);
  checker.at_least("cutmix_alpha", cutmix_alpha, 0);
  checker.in_range("probability", probability, 0, 1);
  checker.in_range("switch_probability", switch_probability, 0, 1);
  const MixConfig usual;
  if (!enabled() && probability != usual.probability)
    checker.warning("probability", "without effect unless mixup_alpha or cutmix_alpha is above 0");
  if ((mixup_alpha == 0 || cutmix_alpha == 0) && switch_probability != usual.switch_probability)
    checker.warning("switch_probability", "without effect unless mixup_alpha and cutmix_alpha are above 0");
}

void TrainConfig::check(ConfigChecker& checker) const {
  checker.at_least("epochs", static_cast<double>(epochs), 1);
  checker.at_least("batch_size", static_cast<double>(batch_size), 1);
  checker.at_least("accumulate_steps", static_cast<double>(accumulate_steps), 1);
  if (batch_size >= 1 && accumulate_steps >= 1 && batch_size % accumulate_steps != 0) {
    checker.error("accumulate_steps", fmt::format("batch_size = {} cannot be split into {} equal parts",
                                                  batch_size, accumulate_steps));
  }
  checker.greater_than("lr", lr, 0);
  checker.at_least("lr_ratio.image", lr_ratio.image, 0);
  checker.at_least("lr_ratio.fusion", lr_ratio.fusion, 0);
  checker.at_least("lr_ratio.context", lr_ratio.context, 0);
  checker.at_least("lr_ratio.classifier", lr_ratio.classifier, 0);
  if (!(layer_decay > 0 && layer_decay <= 1))
    checker.error("layer_decay", fmt::format("must be greater than 0 and at most 1, found {}", layer_decay));
  check_blocks(*this, checker);
  check_share(checker, "label_smoothing", label_smoothing);
  check_share(checker, "ema_decay", ema_decay);
  if (schedule.stop_epoch > static_cast<double>(epochs)) {
    checker.error("schedule.stop_epoch",
                  fmt::format("must not lie behind epochs = {}, found {}", epochs, schedule.stop_epoch));
  }
  if (epochs >= 1 && schedule.kind == ScheduleKind::cosine &&
      schedule.warmup_epochs >= static_cast<double>(epochs)) {
    checker.error("schedule.warmup_epochs",
                  fmt::format("must be less than epochs = {}, found {}: the cosine falls after the warm-up",
                              epochs, schedule.warmup_epochs));
  }
  checker.at_least("clip_grad_norm", clip_grad_norm, 0);
  checker.at_least("max_steps", static_cast<double>(max_steps), 0);
  checker.at_least("max_nonfinite", static_cast<double>(max_nonfinite), 0);
  checker.at_least("checkpoint_every", static_cast<double>(checkpoint_every), 1);
  checker.at_least("keep_checkpoints", static_cast<double>(keep_checkpoints), 1);
}

}  // namespace actionclip
