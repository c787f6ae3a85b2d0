#include "actionclip/train/config.h"

#include <string_view>

#include <fmt/format.h>

namespace actionclip {
namespace {

// A decay of 1 would never take in a gradient.
void check_decay(ConfigChecker& checker, std::string_view key, double value) {
  if (!(value >= 0 && value < 1)) {
    checker.error(key, fmt::format("must be at least 0 and less than 1, found {}", value));
  }
}

}  // namespace

TrainedParts trained_parts(TrainTask task, bool fix_text) {
  const bool towers = task != TrainTask::prompt;
  return {.image = towers,
          .text = towers && !fix_text,
          .fusion = task != TrainTask::pretrain,
          .logit_scale = towers};
}

void OptimizerConfig::check(ConfigChecker& checker) const {
  check_decay(checker, "beta1", beta1);
  check_decay(checker, "beta2", beta2);
  check_decay(checker, "momentum", momentum);
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

void TrainConfig::check(ConfigChecker& checker) const {
  checker.at_least("epochs", static_cast<double>(epochs), 1);
  checker.at_least("batch_size", static_cast<double>(batch_size), 1);
  checker.at_least("accumulate_steps", static_cast<double>(accumulate_steps), 1);
  if (batch_size >= 1 && accumulate_steps >= 1 && batch_size % accumulate_steps != 0) {
    checker.error("accumulate_steps", fmt::format("batch_size = {} cannot be split into {} equal parts",
                                                  batch_size, accumulate_steps));
  } else if (accumulate_steps >= 1 && batch_size == accumulate_steps) {
    // The only video of its batch is always the right one: loss and gradient are 0.
    checker.error(batch_size == 1 ? "batch_size" : "accumulate_steps",
                  fmt::format("batch_size = {} in {} part(s) leaves 1 sample a contrastive batch, from which "
                              "nothing is learnt; at least 2 are needed",
                              batch_size, accumulate_steps));
  }
  checker.greater_than("lr", lr, 0);
  checker.at_least("lr_ratio.image", lr_ratio.image, 0);
  checker.at_least("lr_ratio.fusion", lr_ratio.fusion, 0);
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
