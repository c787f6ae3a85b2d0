// A training before its weights, lists or videos are there: whatever is missing is made up, and the step made
// small enough for a laptop.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "actionclip/train/experiment.h"
#include "actionclip/train/training_inputs.h"

namespace actionclip {

struct Rehearsal {
  Experiment experiment;  // that a Trainer can take a step of with `inputs`
  TrainingInputs inputs;
  std::vector<std::string> stand_ins;   // what is not there, and what is taken instead, a line each
  std::vector<std::string> reductions;  // what is smaller than the experiment has it, a line each
  std::optional<std::int64_t> videos;   // of data.train; none: its list is not there
};

// Of `ranks` ranks, which must all find the same files. `reduce`: where the videos are not there, the step is
// one of two videos a rank with no more frames, gradients and kept activations than fit into 0.6 TFLOPs and
// 3 GiB (computed, not measured; at least 2 frames and the last block of each encoder). Throws Error for a
// file that is there and cannot be used, and ConfigError without data.train.list.
Rehearsal rehearse(Experiment experiment, std::int64_t ranks, bool reduce);

// Optimiser steps of an epoch over `videos`.
std::int64_t steps_per_epoch(const Experiment& experiment, std::int64_t videos);

}  // namespace actionclip
