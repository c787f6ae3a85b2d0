// Settings of training: the `train:` section of an experiment.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/describe.hpp>

#include "actionclip/config/checker.h"
#include "actionclip/model/config.h"

namespace actionclip {

enum class TrainTask {
  pretrain,  // image-text pairs, InfoNCE, everything learns
  prompt,    // towers frozen, the fusion head and the learned context learn
  finetune,  // videos and labels, end to end
};
BOOST_DESCRIBE_ENUM(TrainTask, pretrain, prompt, finetune)

// What a video is told from others by.
enum class Objective {
  contrastive,    // the texts of the other videos of its batch (ActionCLIP section 3.1)
  cross_entropy,  // the texts of all other classes (as ViFi-CLIP, Rasheed et al. 2023, trains CLIP)
};
BOOST_DESCRIBE_ENUM(Objective, contrastive, cross_entropy)

// Target distribution of the contrastive loss over a batch (reference: ActionCLIP section 3.1; G = same-label
// matrix).
enum class LossTarget {
  softmax,     // softmax(10 G) of a row, as the published code
  normalized,  // G divided by its row sum, as the paper
  identity,    // each sample is its own only positive (InfoNCE)
};
BOOST_DESCRIBE_ENUM(LossTarget, softmax, normalized, identity)

enum class OptimizerKind { adamw, adam, sgd };
BOOST_DESCRIBE_ENUM(OptimizerKind, adamw, adam, sgd)

struct OptimizerConfig {
  OptimizerKind kind = OptimizerKind::adamw;
  double beta1 = 0.9;
  double beta2 = 0.98;
  double eps = 1e-8;
  double momentum = 0.9;  // sgd
  double weight_decay = 0.2;

  void check(ConfigChecker& checker) const;
};
BOOST_DESCRIBE_STRUCT(OptimizerConfig, (), (kind, beta1, beta2, eps, momentum, weight_decay))

enum class ScheduleKind { cosine, multistep };
BOOST_DESCRIBE_ENUM(ScheduleKind, cosine, multistep)

struct ScheduleConfig {
  ScheduleKind kind = ScheduleKind::cosine;
  double warmup_epochs = 5;
  double stop_epoch = 0;  // end the run here although the schedule is laid out for `epochs`; 0: at `epochs`
  std::vector<double> milestones;  // multistep: epochs at which lr is multiplied by gamma
  double gamma = 0.1;

  void check(ConfigChecker& checker) const;
};
BOOST_DESCRIBE_STRUCT(ScheduleConfig, (), (kind, warmup_epochs, stop_epoch, milestones, gamma))

struct LearningRateRatios {
  double image = 1;
  double fusion = 10;
  double context = 1;      // the learned context
  double classifier = 10;  // of model.classifier, which starts fresh as the fusion head does
};
BOOST_DESCRIBE_STRUCT(LearningRateRatios, (), (image, fusion, context, classifier))

// Mixup (Zhang et al. 2018) and cutmix (Yun et al. 2019) of the clips of a batch, with the targets mixed
// alike.
struct MixConfig {
  double mixup_alpha = 0;           // of the Beta distribution that shares are drawn from; 0: no mixup
  double cutmix_alpha = 0;          // the same of cutmix, one rectangle for all frames
  double probability = 1;           // that a batch is mixed at all
  double switch_probability = 0.5;  // that it is cutmix, where both are on

  bool enabled() const { return mixup_alpha > 0 || cutmix_alpha > 0; }
  void check(ConfigChecker& checker) const;
};
BOOST_DESCRIBE_STRUCT(MixConfig, (), (mixup_alpha, cutmix_alpha, probability, switch_probability))

struct TrainConfig {
  TrainTask task = TrainTask::finetune;
  std::int64_t epochs = 50;
  std::int64_t batch_size = 256;  // global: over all ranks and accumulation steps
  std::int64_t accumulate_steps =
      1;  // batch_size is split into so many parts; each part is its own contrastive batch
  double lr = 5e-6;
  LearningRateRatios lr_ratio;
  // Each layer of an encoder learns at this share of the rate of the layer behind it (parameter_groups.h); 1:
  // all at the same.
  double layer_decay = 1;
  // The last so many blocks of an encoder learn, with what follows them (0: it is frozen). Not given: all of
  // it. What is frozen takes part as in evaluation: without dropout, its statistics stay.
  std::optional<std::int64_t> image_blocks, text_blocks;
  bool fix_fusion = false;                       // the fusion head is frozen
  Objective objective = Objective::contrastive;  // a model.classifier always learns by cross-entropy
  double label_smoothing = 0;                    // of the cross-entropy
  LossTarget target = LossTarget::softmax;
  MixConfig mix;
  OptimizerConfig optimizer;
  ScheduleConfig schedule;
  Precision precision = Precision::fp32;
  bool activation_checkpointing = false;  // transformer blocks keep their input alone and are computed twice
  double clip_grad_norm = 0;              // 0: off
  double ema_decay = 0;        // of the running average of the weights (weight_average.h); 0: there is none
  std::int64_t max_steps = 0;  // stop after so many optimiser steps; 0: no limit
  std::int64_t max_nonfinite =
      10;  // steps in a row with a loss or gradient that is not finite before the run stops
  std::int64_t checkpoint_every = 1;  // epochs; one that is evaluated is saved in any case
  std::int64_t keep_checkpoints = 2;  // newest ones kept beside `best`

  void check(ConfigChecker& checker) const;
};
BOOST_DESCRIBE_STRUCT(TrainConfig, (),
                      (task, epochs, batch_size, accumulate_steps, lr, lr_ratio, layer_decay, image_blocks,
                       text_blocks, fix_fusion, objective, label_smoothing, target, mix, optimizer, schedule,
                       precision, activation_checkpointing, clip_grad_norm, ema_decay, max_steps,
                       max_nonfinite, checkpoint_every, keep_checkpoints))

// What learns by these settings; `fix_text` is TextConfig's, `classifier` ModelConfig's.
//   finetune  all parts
//   prompt    the fusion head, learned context, and the classifier: both encoders are frozen
//   pretrain  all but these, which stills do not pass
// A frozen text encoder (fix_text, text_blocks 0) leaves logit_scale learning; a classifier needs neither.
TrainedParts trained_parts(const TrainConfig& config, bool fix_text, bool classifier);

}  // namespace actionclip
