// What takes the optimiser steps: the model, its optimiser, the loss scale and the gradients that the ranks
// have in common, wherever the data come from.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <torch/nn/module.h>

#include "actionclip/distributed/process_group.h"
#include "actionclip/model/action_clip.h"
#include "actionclip/train/config.h"
#include "actionclip/train/grad_scaler.h"
#include "actionclip/train/optimizer.h"
#include "actionclip/train/weight_average.h"
#include "actionclip/video/load_seconds.h"

namespace actionclip {

// What a rank learns from in one part of a step: B videos (stills in the pretrain stage) and texts.
struct TrainBatch {
  at::Tensor clips;  // [B, T, 3, S, S], uint8 or normalised floats; pretrain: T = 1
  // int64: [B, L], a text of each video; for cross-entropy [C, L], one of each class. A model with a
  // classifier needs none.
  at::Tensor tokens;
  at::Tensor label_ids;          // [B] int64
  at::Tensor targets = {};       // [B, C] float, as BatchLabels has them; undefined where labels say it all
  at::Tensor placeholders = {};  // [B or C, M] int64, of a learned context; undefined where there is none
  std::int64_t template_index = 0;  // of the classes' texts: the same one means the same tokens
  std::uint64_t seed = 0;           // of what the model draws while it learns from this batch, as for dropout
  double waited = 0;                // seconds that the step had to wait for it
  LoadSeconds load = {};            // of the workers that made the clips
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
  LoadSeconds load;  // of the workers of all ranks, for the clips of this step
};

class Learner {
 public:
  // Moves the model to `device`, freezes what does not learn (parameter_groups.h) and makes the optimiser.
  // Throws Error if nothing learns, or logit_scale alone, or the device cannot compute in config.precision.
  Learner(ActionClip model, const TrainConfig& config, bool fix_text, c10::Device device);

  // From here on learns together with the other ranks of `group`, all from rank 0's parameters. Called once,
  // by every rank, before the first step; a learner that never does is alone.
  void join(std::shared_ptr<ProcessGroup> group);

  // One optimiser step at the learning rate `lr` on the next config.accumulate_steps batches. Every rank's
  // batches must be of one size. If loss or gradients are not finite, the parameters stay as they are.
  // libtorch's own generators are seeded for each batch; what is frozen takes part as in evaluation. Running
  // statistics are rank 0's on all ranks, as in torch's DDP.
  StepReport step(double lr, const std::function<TrainBatch()>& next_batch);

  ActionClip& model() { return model_; }
  const ActionClip& model() const { return model_; }
  Optimizer& optimizer() { return *optimizer_; }
  std::optional<GradScaler>& scaler() { return scaler_; }  // fp16 alone has one
  const std::optional<GradScaler>& scaler() const { return scaler_; }
  WeightAverage* average() { return average_ ? &*average_ : nullptr; }  // null without config.ema_decay
  const WeightAverage* average() const { return average_ ? &*average_ : nullptr; }

 private:
  at::Tensor loss_of(const TrainBatch& batch);
  at::Tensor video_features(const at::Tensor& clips);
  at::Tensor text_features(const TrainBatch& batch);
  void share_statistics();
  void share(StepReport& report, double waited, const LoadSeconds& load, double communication_before);
  void update(StepReport& report);

  const TrainConfig config_;
  const c10::Device device_;
  ActionClip model_;
  std::unique_ptr<Optimizer> optimizer_;
  std::optional<GradScaler> scaler_;
  std::optional<WeightAverage> average_;
  std::vector<std::shared_ptr<torch::nn::Module>> frozen_;  // in evaluation mode at all times
  bool texts_learn_ = true;
  std::map<std::int64_t, at::Tensor> class_features_;  // by template; of texts that do not learn
  std::shared_ptr<ProcessGroup> group_;
  std::unique_ptr<GradientReducer> reducer_;
};

}  // namespace actionclip
