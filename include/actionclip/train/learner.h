// What takes the optimiser steps: the model, its optimiser, the loss scale and the gradients that the ranks
// have in common, wherever the data come from.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include "actionclip/distributed/process_group.h"
#include "actionclip/model/action_clip.h"
#include "actionclip/train/config.h"
#include "actionclip/train/grad_scaler.h"
#include "actionclip/train/optimizer.h"

namespace actionclip {

// What a rank learns from in one part of a step: B videos (stills in the pretrain stage) with a text each.
struct TrainBatch {
  at::Tensor clips;      // [B, T, 3, S, S], uint8 or normalised floats; pretrain: T = 1
  at::Tensor tokens;     // [B, L] int64
  at::Tensor label_ids;  // [B] int64
  double waited = 0;     // seconds that the step had to wait for it
};

// What one optimiser step reports; the same on every rank.
struct StepReport {
  double loss = 0;       // mean over the accumulation steps and the ranks
  double grad_norm = 0;  // before clipping
  double lr = 0;         // of the text side; the others by their ratio
  bool finite = true;    // else the update was skipped
  // Seconds of each rank: waiting for data, and in collectives (for the network and for slower ranks; a
  // reduction that the backward pass hides does not count).
  std::vector<double> data_wait, communication;
};

class Learner {
 public:
  // Moves the model to `device`, freezes what does not learn (parameter_groups.h) and makes the optimiser.
  // Throws Error if nothing learns, or the device cannot compute in config.precision.
  Learner(ActionClip model, const TrainConfig& config, bool fix_text, c10::Device device);

  // From here on learns together with the other ranks of `group`, all from rank 0's parameters. Called once,
  // by every rank, before the first step; a learner that never does is alone.
  void join(std::shared_ptr<ProcessGroup> group);

  // One optimiser step at the learning rate `lr` on the next config.accumulate_steps batches. Every rank's
  // batches must be of one size. If loss or gradients are not finite, the parameters stay as they are.
  StepReport step(double lr, const std::function<TrainBatch()>& next_batch);

  ActionClip& model() { return model_; }
  const ActionClip& model() const { return model_; }
  Optimizer& optimizer() { return *optimizer_; }
  std::optional<GradScaler>& scaler() { return scaler_; }  // fp16 alone has one
  const std::optional<GradScaler>& scaler() const { return scaler_; }

 private:
  at::Tensor loss_of(const TrainBatch& batch);
  void share(StepReport& report, double waited, double communication_before);
  void update(StepReport& report);

  const TrainConfig config_;
  const c10::Device device_;
  ActionClip model_;
  std::unique_ptr<Optimizer> optimizer_;
  std::optional<GradScaler> scaler_;
  std::shared_ptr<ProcessGroup> group_;
  std::unique_ptr<GradientReducer> reducer_;
};

}  // namespace actionclip
