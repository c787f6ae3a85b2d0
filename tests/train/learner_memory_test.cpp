// The peak memory that cost.h predicts, against the tensors of a learner's whole step.

#include <cstdint>
#include <memory>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "actionclip/model/cost.h"
#include "actionclip/train/learner.h"

#include "tests/model/cost_cases.h"
#include "tests/model/tensor_memory.h"

namespace actionclip {
namespace {

constexpr std::int64_t kFrames = 4, kTextLength = 12;

// Weights, their gradients, the optimiser's state and the activations take some MB each.
ActionClipConfig sizes_of_learner() {
  auto sizes = small_model();
  sizes.vision.output_dim = sizes.text.output_dim = 128;
  sizes.fusion = {.type = FusionType::Transf, .width = 128, .layers = 4, .heads = 2, .frames = kFrames};
  return sizes;
}

TrainBatch make_batch(const ActionClipConfig& sizes, std::int64_t videos) {
  const std::int64_t side = sizes.vision.image_size, last = sizes.text.vocabulary_size - 1;
  TrainBatch batch;
  batch.clips = at::randint(0, 256, {videos, kFrames, 3, side, side}, at::kByte);
  batch.tokens = at::zeros({videos, sizes.text.context_length}, at::kLong);
  batch.tokens.narrow(1, 0, kTextLength - 1).random_(1, last);
  batch.tokens.select(1, kTextLength - 1).fill_(last);
  batch.label_ids = at::arange(videos, at::kLong);
  return batch;
}

// The second step, before which gradients and the optimiser's state are there.
void expect_as_predicted(const TrainConfig& config, std::int64_t videos) {
  constexpr double kRate = 1e-4;
  const auto sizes = sizes_of_learner();
  const auto batch = make_batch(sizes, videos);
  const auto next_batch = [&] { return batch; };
  const auto all = std::make_shared<TensorMemory>();
  const c10::DebugInfoGuard from_the_start(c10::DebugInfoKind::PROFILER_STATE, all);
  Learner learner(ActionClip(sizes), config, /*fix_text=*/false, c10::kCPU);
  ASSERT_TRUE(learner.step(kRate, next_batch).finite);
  const auto between_steps = static_cast<double>(all->alive());
  const auto of_step = std::make_shared<TensorMemory>();
  {
    const c10::DebugInfoGuard second_step(c10::DebugInfoKind::PROFILER_STATE, of_step);
    ASSERT_TRUE(learner.step(kRate, next_batch).finite);
  }
  const double peak = between_steps + static_cast<double>(of_step->peak());

  const auto predicted = step_memory(sizes, {.batch_size = videos,
                                             .frames = kFrames,
                                             .text_length = kTextLength,
                                             .trained = trained_parts(config, /*fix_text=*/false,
                                                                      /*classifier=*/false),
                                             .averaged = config.ema_decay > 0});
  const double kept = predicted.weights + predicted.gradients + predicted.optimizer + predicted.average;
  EXPECT_NEAR(kept, between_steps, 0.01 * between_steps);
  EXPECT_NEAR(predicted.total(), peak, 0.15 * peak);
  EXPECT_GT(peak, 1.2 * between_steps) << "activations matter";
}

TEST(LearnerMemory, OfAFinetuningStepIsWhatIsPredicted) { expect_as_predicted(TrainConfig(), 2); }

TEST(LearnerMemory, OfAFinetuningStepWithAnAverageOfTheWeightsIsWhatIsPredicted) {
  TrainConfig config;
  config.ema_decay = 0.99;
  expect_as_predicted(config, 2);
}

TEST(LearnerMemory, OfAPromptStepIsWhatIsPredicted) {
  TrainConfig config;
  config.task = TrainTask::prompt;
  expect_as_predicted(config, 16);
}

}  // namespace
}  // namespace actionclip
