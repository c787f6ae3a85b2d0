#include "actionclip/model/cost.h"

#include <string>

#include <gtest/gtest.h>

namespace actionclip {
namespace {

constexpr double kGiB = 1024.0 * 1024 * 1024;

ActionClipConfig sizes_of(const std::string& arch, std::int64_t frames = 8,
                          FusionType fusion = FusionType::Transf) {
  ModelConfig config;
  config.arch = arch;
  config.frames = frames;
  config.fusion = fusion;
  return resolve(config);
}

constexpr TrainedParts kPrompt = {.image = false, .text = false, .fusion = true, .logit_scale = false};

TEST(CountParameters, ClipsAreThePublishedNumbers) {
  const auto small = count_parameters(sizes_of("ViT-B/32"));
  EXPECT_EQ(small.image + small.text, 151'277'313);
  EXPECT_EQ(small.image, 87'849'216);
  const auto large = count_parameters(sizes_of("ViT-L/14"));
  EXPECT_EQ(large.image + large.text, 427'616'513);
  EXPECT_EQ(count_parameters(sizes_of("ViT-B/32", 8, FusionType::meanP)).fusion, 0);
}

TEST(CountTrained, FrozenPartsCountNothingAndTheScaleCountsAlone) {
  const auto sizes = sizes_of("ViT-B/16");
  const auto all = count_parameters(sizes);
  EXPECT_EQ(count_trained(sizes, {}).total(), all.total());
  EXPECT_EQ(count_trained(sizes, kPrompt).total(), all.fusion);
  EXPECT_EQ(count_trained(sizes, {.text = false}).text, 1);
}

// By hand, small enough to follow: one patch of 1 x 1 pixel and the class token; one block; width 2.
TEST(ForwardFlops, OfASmallModelAreThoseCountedByHand) {
  ActionClipConfig sizes;
  sizes.vision = {.image_size = 1, .patch_size = 1, .width = 2, .layers = 1, .heads = 1, .output_dim = 2};
  sizes.text = {
      .context_length = 5, .vocabulary_size = 9, .width = 2, .layers = 2, .heads = 1, .output_dim = 2};
  sizes.fusion = {.type = FusionType::Transf, .width = 2, .layers = 1, .heads = 1, .frames = 3};
  const auto flops = forward_flops(sizes, {.frames = 3, .text_length = 4});
  // Patch embedding 12; keys and values 32; query and output projection 16; attention's products 16;
  // perceptron 64; projection 8.
  EXPECT_EQ(flops.image, 3 * (12 + 32 + 16 + 16 + 64 + 8));
  // A whole block: linear layers 2 * 4 * 12 * 4, attention 4 * 16 * 2. Then the last one for one position.
  EXPECT_EQ(flops.text, (384 + 128) + (64 + 16 + 32 + 64) + 8);
  EXPECT_EQ(flops.fusion, 2 * 3 * 12 * 4 + 4 * 9 * 2);
}

TEST(ForwardFlops, WithoutFusionOrWithTheMeanThereIsNothingToFuse) {
  EXPECT_EQ(forward_flops(sizes_of("ViT-B/32", 8, FusionType::meanP), {}).fusion, 0);
  EXPECT_EQ(forward_flops(sizes_of("ViT-B/32"), {.frames = 1, .fused = false}).fusion, 0);
}

TEST(TrainingFlops, AreThreeTimesTheForwardPassWhereEverythingLearns) {
  const auto sizes = sizes_of("ViT-B/16");
  const StepSettings step{.batch_size = 24, .accumulate_steps = 2, .ranks = 4};
  EXPECT_DOUBLE_EQ(training_flops(sizes, step).total(), 3 * 6 * forward_flops(sizes, step).total());
}

TEST(TrainingFlops, FrozenPartsRunForwardOnly) {
  const auto sizes = sizes_of("ViT-B/16");
  const StepSettings step{.batch_size = 2, .trained = kPrompt};
  const auto forward = forward_flops(sizes, step), training = training_flops(sizes, step);
  EXPECT_DOUBLE_EQ(training.image, 2 * forward.image);
  EXPECT_DOUBLE_EQ(training.text, 2 * forward.text);
  EXPECT_DOUBLE_EQ(training.fusion, 6 * forward.fusion);
}

TEST(TrainingFlops, CheckpointingRunsTheBlocksThatLearnOnceMore) {
  const auto sizes = sizes_of("ViT-B/16");
  StepSettings step{.batch_size = 1};
  const auto forward = forward_flops(sizes, step);
  step.activation_checkpointing = true;
  const auto training = training_flops(sizes, step);
  EXPECT_DOUBLE_EQ(training.fusion, 4 * forward.fusion);  // all of it is blocks
  EXPECT_LT(training.image, 4 * forward.image);
  EXPECT_GT(training.image, 3.9 * forward.image);
  step.trained = kPrompt;
  EXPECT_DOUBLE_EQ(training_flops(sizes, step).image, forward.image);
}

TEST(StepMemory, WeightsGradientsAndMomentsAreSixteenBytesOfATrainedParameter) {
  const auto sizes = sizes_of("ViT-B/32");
  const auto all = static_cast<double>(count_parameters(sizes).total());
  const auto memory = step_memory(sizes, {});
  EXPECT_DOUBLE_EQ(memory.weights + memory.gradients + memory.optimizer, 16 * all);
  EXPECT_EQ(memory.low_precision, 0);
  const auto head = static_cast<double>(count_parameters(sizes).fusion);
  const auto prompt = step_memory(sizes, {.trained = kPrompt});
  EXPECT_DOUBLE_EQ(prompt.weights + prompt.gradients + prompt.optimizer, 4 * all + 12 * head);
  EXPECT_EQ(step_memory(sizes, {.optimizer_slots = 0}).optimizer, 0);
}

// Peak resident memory that steps of train_step_benchmark added on one CPU thread, with glibc told to give
// every large block back (MALLOC_MMAP_THRESHOLD_=262144); texts of 14 tokens.
TEST(StepMemory, IsWhatStepsTookOnTheCpu) {
  struct Measured {
    std::int64_t videos, frames;
    Precision precision;
    double bytes;
  };
  for (const auto& [videos, frames, precision, bytes] :
       {Measured{2, 4, Precision::fp32, 3'099'959'296}, Measured{2, 8, Precision::fp32, 3'331'870'720},
        Measured{4, 8, Precision::fp32, 3'792'994'304}, Measured{2, 4, Precision::bf16, 3'256'619'008},
        Measured{2, 8, Precision::bf16, 3'387'928'576}}) {
    const StepSettings step{
        .batch_size = videos, .frames = frames, .text_length = 14, .precision = precision};
    EXPECT_NEAR(step_memory(sizes_of("ViT-B/32"), step).total(), bytes, 0.03 * bytes) << videos * frames;
  }
}

TEST(StepMemory, ActivationsAreThoseOfOneAccumulationStepOfOneRank) {
  const auto sizes = sizes_of("ViT-B/16");
  const double whole = step_memory(sizes, {.batch_size = 256}).kept_activations;
  const double shared = step_memory(sizes, {.batch_size = 256, .ranks = 8}).kept_activations;
  const double split = step_memory(sizes, {.batch_size = 256, .accumulate_steps = 8}).kept_activations;
  EXPECT_NEAR(shared, whole / 8, 0.01 * whole / 8);
  EXPECT_NEAR(split, whole / 8, 0.01 * whole / 8);
}

TEST(StepMemory, CheckpointingKeepsABlocksInputAlone) {
  const auto sizes = sizes_of("ViT-B/16");
  StepSettings step{.batch_size = 32, .precision = Precision::bf16};
  const auto plain = step_memory(sizes, step);
  step.activation_checkpointing = true;
  const auto checkpointed = step_memory(sizes, step);
  const double inputs = 12.0 * 32 * 8 * 197 * 768 * 4;  // of the image tower's blocks
  EXPECT_GT(checkpointed.kept_activations, inputs);
  EXPECT_LT(checkpointed.kept_activations, 1.2 * inputs);
  EXPECT_GT(checkpointed.working_memory, plain.working_memory);      // a block's activations are among it
  EXPECT_LT(checkpointed.low_precision, 0.2 * plain.low_precision);  // of a block at a time
  EXPECT_LT(checkpointed.total(), 0.5 * plain.total());
}

// All weights are copied for the forward pass, also where next to nothing is kept for the backward pass.
TEST(StepMemory, CheckpointingDoesNotSaveTheCopiesOfTheForwardPass) {
  StepSettings step{.batch_size = 2, .frames = 1, .precision = Precision::bf16};
  const auto plain = step_memory(sizes_of("ViT-B/32"), step);
  step.activation_checkpointing = true;
  const auto checkpointed = step_memory(sizes_of("ViT-B/32"), step);
  EXPECT_DOUBLE_EQ(checkpointed.low_precision + checkpointed.working_memory, plain.low_precision);
}

TEST(StepMemory, AFrozenTowerKeepsNothing) {
  const auto sizes = sizes_of("ViT-B/16");
  const auto prompt = step_memory(sizes, {.batch_size = 32, .trained = kPrompt});
  EXPECT_LT(prompt.kept_activations, 0.2 * kGiB);  // the fusion head's
  EXPECT_GT(prompt.working_memory, kGiB);          // a block of the image tower, forward
  EXPECT_EQ(step_memory(sizes, {.trained = kPrompt, .precision = Precision::bf16}).low_precision,
            2.0 * 6 * (12 * 512 * 512 + 9 * 512));
}

TEST(StepTraffic, OneRankSendsNothing) {
  EXPECT_EQ(step_traffic(sizes_of("ViT-B/32"), {.ranks = 1}).total(), 0);
}

TEST(StepTraffic, IsThatOfRings) {
  const auto sizes = sizes_of("ViT-B/32");
  const StepSettings step{.batch_size = 256, .accumulate_steps = 2, .ranks = 4};
  const auto traffic = step_traffic(sizes, step);
  EXPECT_DOUBLE_EQ(traffic.gradients, 2 * 0.75 * 4 * static_cast<double>(count_parameters(sizes).total()));
  EXPECT_DOUBLE_EQ(traffic.features, 4 * 0.75 * 256 * 512 * 4);  // both sides, forward and backward
  EXPECT_DOUBLE_EQ(traffic.label_ids, 0.75 * 256 * 8);
}

TEST(StepTraffic, NoGradientGoesBackToAFrozenText) {
  const auto sizes = sizes_of("ViT-B/32");
  const StepSettings step{.batch_size = 64, .ranks = 2, .trained = {.text = false}};
  EXPECT_DOUBLE_EQ(step_traffic(sizes, step).features, 3 * 0.5 * 64 * 512 * 4);
}

}  // namespace
}  // namespace actionclip
