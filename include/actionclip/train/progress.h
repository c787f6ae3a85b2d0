// Where a training run stands: what a checkpoint's state.json holds.
#pragma once

#include <cstdint>

#include <nlohmann/json.hpp>

namespace actionclip {

struct TrainProgress {
  std::int64_t step = 0;  // optimiser steps taken or skipped
  std::int64_t epoch = 0;
  std::int64_t batch = 0;  // loader batches of this epoch already used
  std::int64_t nonfinite_in_a_row = 0;
  std::int64_t nonfinite_total = 0;
  std::int64_t evaluated_epoch = 0;  // the last one whose validation is done
  double best_top1 = -1;             // of a validation; its mAP where videos have several labels
  std::int64_t best_step = -1;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(TrainProgress, step, epoch, batch, nonfinite_in_a_row, nonfinite_total,
                                   evaluated_epoch, best_top1, best_step)

}  // namespace actionclip
