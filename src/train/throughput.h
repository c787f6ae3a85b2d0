// How fast a step was, and what it waited for.
#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

#include "actionclip/train/bottleneck.h"
#include "actionclip/train/learner.h"

namespace actionclip {

class Throughput {
 public:
  // Of a step on `videos` (of all ranks) that took `seconds`.
  Throughput(const StepReport& report, std::int64_t videos, double seconds);

  // videos_per_second of all ranks together, data_wait_fraction and communication_fraction: the share of the
  // step's time, mean over the ranks. "data": the seconds, of all ranks together, that workers read, decoded
  // and transformed for the step's clips, and that the step waited for them. With several ranks also "ranks":
  // the two shares of each, and videos_per_second: what the rank does while it waits for none of the others.
  // One that is slow stands out there.
  nlohmann::ordered_json to_json() const;

  // "512.0 videos a second (128.0 a rank), 2 % of the time waiting for data, 11 % in communication"
  std::string describe() const;

 private:
  std::vector<double> data_wait_, communication_;  // shares, of each rank
  LoadSeconds load_;
  double waited_;  // seconds of all ranks
  double videos_per_second_;
};

// The step on one rank, on average over the ranks; `cpu_seconds` of this one.
StepTimes step_times(const StepReport& report, double seconds, double cpu_seconds);

}  // namespace actionclip
