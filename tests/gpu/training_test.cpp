// Training on a GPU against the CPU, in every precision; checkpoints that change the device.

#include <algorithm>
#include <cmath>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/train/checkpoint.h"
#include "actionclip/weights/tensor_convert.h"

#include "tests/gpu/gpu_test.h"
#include "tests/temporary_folder.h"
#include "train/step_profiler.h"

namespace actionclip {
namespace {

constexpr int kSteps = 10;

class TrainingOnGpu : public GpuTest {};

std::vector<double> ten_losses(const TrainConfig& config, c10::Device device) {
  auto learner = make_learner(config, device);
  return losses_of(take_steps(learner, kSteps));
}

TEST_F(TrainingOnGpu, TenStepsEqualTheCpus) {
  const auto losses = ten_losses(small_training(), kGpu);
  expect_near(losses, ten_losses(small_training(), c10::kCPU), 1e-4);
  EXPECT_LT(losses.back(), losses.front());
}

TEST_F(TrainingOnGpu, ActivationCheckpointingChangesNothing) {
  for (const auto precision : {Precision::fp32, Precision::bf16}) {
    auto config = small_training(precision);
    const auto expected = ten_losses(config, kGpu);
    config.activation_checkpointing = true;
    expect_near(ten_losses(config, kGpu), expected, precision == Precision::fp32 ? 1e-5 : 1e-2);
  }
}

// Ten steps amplify what a forward pass rounds away (model_test.cpp).
TEST_F(TrainingOnGpu, TenStepsInBf16AreNearFp32) {
  const auto losses = ten_losses(small_training(Precision::bf16), kGpu);
  expect_near(losses, ten_losses(small_training(), kGpu), 2e-2);
  EXPECT_LT(losses.back(), losses.front());
}

TEST_F(TrainingOnGpu, TenStepsInFp16LearnOnceTheLossScaleFits) {
  auto learner = make_learner(small_training(Precision::fp16), kGpu);
  const auto reports = take_steps(learner, kSteps);
  for (const auto& report : reports) EXPECT_TRUE(std::isfinite(report.loss));
  const auto taken = std::count_if(reports.begin(), reports.end(), [](const auto& r) { return r.finite; });
  EXPECT_GE(taken, kSteps / 2);
  EXPECT_LT(reports.back().loss, reports.front().loss);
}

TEST_F(TrainingOnGpu, AnOverflowInFp16SkipsTheStepAndLowersTheScale) {
  auto learner = make_learner(small_training(Precision::fp16), kGpu);
  const double scale = std::ldexp(1, 100);  // far beyond fp16, not beyond fp32
  learner.scaler()->load_state({{"scale", scale}, {"growth_tracker", 0}});
  std::vector<at::Tensor> before;
  for (const auto& parameter : learner.model()->parameters()) before.push_back(parameter.detach().clone());

  const auto report = take_steps(learner, 1).front();
  EXPECT_FALSE(report.finite);
  EXPECT_TRUE(std::isfinite(report.loss));
  EXPECT_EQ(learner.scaler()->current_scale(), scale / 2);
  const auto after = learner.model()->parameters();
  for (std::size_t i = 0; i < after.size(); ++i) EXPECT_TRUE(at::equal(after[i], before[i]));
}

void save(const Learner& learner, Optimizer& optimizer, const std::filesystem::path& run) {
  const auto parameters = state_dict(learner.model());
  CheckpointContents contents;
  contents.model = from_tensors({parameters.begin(), parameters.end()});
  contents.model_metadata = to_metadata(learner.model()->config());
  contents.optimizer = from_tensors(optimizer.state_dict());
  contents.state = {{"step", kSteps / 2}};
  save_checkpoint(run, kSteps / 2, contents);
}

Learner resume(const std::filesystem::path& run, c10::Device device) {
  const auto checkpoint = load_checkpoint(run / "checkpoints" / "last");
  Learner learner(build_model(to_weights(checkpoint.model)), small_training(), /*fix_text=*/false, device);
  learner.optimizer().load_state_dict(to_tensors(checkpoint.optimizer));
  return learner;
}

// The run that goes on with the checkpoint elsewhere takes the steps that the straight run takes.
void expect_goes_on(c10::Device from, c10::Device to) {
  const TemporaryFolder run;
  auto straight = make_learner(small_training(), from);
  take_steps(straight, kSteps / 2);
  save(straight, straight.optimizer(), run.path());
  auto resumed = resume(run.path(), to);
  EXPECT_EQ(resumed.model()->device(), to);
  expect_near(losses_of(take_steps(resumed, kSteps / 2)), losses_of(take_steps(straight, kSteps / 2)), 1e-4);
}

TEST_F(TrainingOnGpu, ACheckpointOfTheGpuGoesOnOnTheCpu) { expect_goes_on(kGpu, c10::kCPU); }

TEST_F(TrainingOnGpu, ACheckpointOfTheCpuGoesOnOnTheGpu) { expect_goes_on(c10::kCPU, kGpu); }

TEST_F(TrainingOnGpu, AProfileShowsThePhasesOfAStep) {
  const TemporaryFolder folder;
  auto learner = make_learner(small_training(), kGpu);
  StepProfiler profiler(/*steps=*/2, folder / "profile.json", /*on_gpu=*/true);
  for (int i = 0; i < StepProfiler::kWarmUp + 2; ++i) {
    profiler.next_step();
    take_steps(learner, 1);
  }
  profiler.finish();
  const auto trace = read_text(folder / "profile.json");
  for (const char* phase : {"\"data\"", "\"forward\"", "\"backward\"", "\"optimizer\""})
    EXPECT_THAT(trace, testing::HasSubstr(phase));
}

}  // namespace
}  // namespace actionclip
