#include "actionclip/train/schedule.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "actionclip/core/error.h"

namespace actionclip {
namespace {

double warmup_factor(double epoch, double warmup_epochs) {
  return epoch < warmup_epochs ? epoch / warmup_epochs : 1;
}

class CosineSchedule final : public LearningRateSchedule {
 public:
  CosineSchedule(double warmup_epochs, double epochs) : warmup_epochs_(warmup_epochs), epochs_(epochs) {}

  double factor(double epoch) const override {
    if (epoch < warmup_epochs_) return warmup_factor(epoch, warmup_epochs_);
    if (epoch >= epochs_) return 0;
    const double progress = (epoch - warmup_epochs_) / (epochs_ - warmup_epochs_);
    return (1 + std::cos(std::numbers::pi * progress)) / 2;
  }

 private:
  double warmup_epochs_;
  double epochs_;
};

class MultistepSchedule final : public LearningRateSchedule {
 public:
  MultistepSchedule(double warmup_epochs, std::vector<double> milestones, double gamma)
      : warmup_epochs_(warmup_epochs), milestones_(std::move(milestones)), gamma_(gamma) {}

  double factor(double epoch) const override {
    const auto next = std::upper_bound(milestones_.begin(), milestones_.end(), epoch);
    const auto passed = static_cast<double>(next - milestones_.begin());
    return warmup_factor(epoch, warmup_epochs_) * std::pow(gamma_, passed);
  }

 private:
  double warmup_epochs_;
  std::vector<double> milestones_;
  double gamma_;
};

void check_lengths(const ScheduleConfig& config, double epochs) {
  if (!(epochs > 0)) throw ConfigError(fmt::format("train.epochs is {}: must be above 0", epochs));
  if (!(config.warmup_epochs >= 0)) {
    throw ConfigError(
        fmt::format("train.schedule.warmup_epochs is {}: must be 0 or more", config.warmup_epochs));
  }
}

}  // namespace

std::unique_ptr<LearningRateSchedule> make_schedule(const ScheduleConfig& config, double epochs) {
  check_lengths(config, epochs);
  if (config.kind == ScheduleKind::multistep) {
    if (!std::is_sorted(config.milestones.begin(), config.milestones.end(), std::less_equal<>())) {
      throw ConfigError("train.schedule.milestones: each epoch must be later than the one before");
    }
    return std::make_unique<MultistepSchedule>(config.warmup_epochs, config.milestones, config.gamma);
  }
  if (config.warmup_epochs >= epochs) {
    throw ConfigError(
        fmt::format("train.schedule.warmup_epochs is {} of {} epochs: must leave some for the cosine",
                    config.warmup_epochs, epochs));
  }
  return std::make_unique<CosineSchedule>(config.warmup_epochs, epochs);
}

}  // namespace actionclip
