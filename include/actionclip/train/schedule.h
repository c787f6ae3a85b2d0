// Learning-rate schedules: a multiplier of the base learning rate as a function of the fractional epoch.
#pragma once

#include <memory>

#include "actionclip/train/config.h"

namespace actionclip {

class LearningRateSchedule {
 public:
  virtual ~LearningRateSchedule() = default;

  // Multiplier of the base learning rate at `epoch` = epochs finished + share of the running one done;
  // `epoch` >= 0.
  virtual double factor(double epoch) const = 0;
};

// A schedule laid out for `epochs` epochs. While epoch < W (`warmup_epochs`) it starts linearly from 0, at
// epoch / W; after that:
//   cosine     (1 + cos(pi (epoch - W) / (epochs - W))) / 2, and 0 from `epochs` on
//   multistep  gamma to the power of the number of milestones <= epoch (which counts during the warm-up too)
// Throws ConfigError for settings that make no schedule: epochs not positive, a cosine whose warm-up leaves
// no epoch, milestones that do not grow.
std::unique_ptr<LearningRateSchedule> make_schedule(const ScheduleConfig& config, double epochs);

}  // namespace actionclip
