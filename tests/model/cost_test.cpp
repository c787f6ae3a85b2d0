#include "actionclip/model/cost.h"

#include <optional>
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

// As open_clip builds them.
TEST(CountParameters, OtherArchitecturesAreTheirPublishedNumbers) {
  struct Published {
    const char* arch;
    std::int64_t image, both;
  };
  for (const auto& [arch, image, both] :
       {Published{"RN50", 38'316'896, 102'007'137}, Published{"RN101", 56'259'936, 119'688'033},
        Published{"RN50x4", 87'137'080, 178'300'601}, Published{"RN50x16", 167'328'912, 290'979'217},
        Published{"RN50x64", 420'380'352, 623'258'305}, Published{"ViT-M-16-alt", 38'534'144, 78'978'177},
        Published{"ViT-H-14", 632'076'800, 986'109'441}, Published{"ViT-g-14", 1'012'645'632, 1'366'678'273},
        Published{"ViT-bigG-14", 1'844'907'264, 2'539'567'105}}) {
    const auto count = count_parameters(sizes_of(arch, 8, FusionType::meanP));
    EXPECT_EQ(count.image, image) << arch;
    EXPECT_EQ(count.image + count.text, both) << arch;
  }
}

TEST(CountParameters, ContextAndClassifierAreOfTheirOwnParts) {
  auto sizes = sizes_of("ViT-B/16");
  EXPECT_EQ(count_parameters(sizes).context, 0);
  EXPECT_EQ(count_parameters(sizes).classifier, 0);
  const auto text = count_parameters(sizes).text;
  sizes.context = {.length = 4};
  EXPECT_EQ(count_parameters(sizes).context, 4 * 512);
  sizes.context.classes = 10;
  sizes.classes = 400;
  const auto count = count_parameters(sizes);
  EXPECT_EQ(count.context, 10 * 4 * 512);
  EXPECT_EQ(count.classifier, 400 * 512 + 400);
  EXPECT_EQ(count.text, text);
  EXPECT_EQ(count.total(), count.image + count.text + count.fusion + count.context + count.classifier);
}

TEST(CountTrained, TheLastBlocksLearnWithWhatFollowsThem) {
  const auto sizes = sizes_of("ViT-B/16");
  const std::int64_t block = 12 * 768 * 768 + 13 * 768, end = 2 * 768 + 768 * 512;
  EXPECT_EQ(count_trained(sizes, {.image_blocks = 0}).image, end);
  EXPECT_EQ(count_trained(sizes, {.image_blocks = 3}).image, 3 * block + end);
  EXPECT_EQ(count_trained(sizes, {.image_blocks = 12}).image, 12 * block + end);  // without the embeddings
  EXPECT_EQ(count_trained(sizes, {.image = false, .image_blocks = 3}).image, 0);
  EXPECT_EQ(count_trained(sizes, {.text_blocks = 0}).text, 2 * 512 + 512 * 512 + 1);
  const std::int64_t pool = (49 + 1) * 2048 + 3 * (2048 * 2048 + 2048) + 2048 * 1024 + 1024;
  EXPECT_EQ(count_trained(sizes_of("RN50"), {.image_blocks = 0}).image, pool);
}

TEST(CountTrained, FrozenPartsCountNothingAndTheScaleCountsAlone) {
  const auto sizes = sizes_of("ViT-B/16");
  const auto all = count_parameters(sizes);
  EXPECT_EQ(count_trained(sizes, {}).total(), all.total());
  EXPECT_EQ(count_trained(sizes, kPrompt).total(), all.fusion);
  EXPECT_EQ(count_trained(sizes, {.text = false}).text, 1);
}

TEST(CountTrained, ALearnedContextLearnsBesideItsFrozenEncoder) {
  const auto plain = sizes_of("ViT-B/16");
  auto sizes = plain;
  sizes.context = {.length = 4, .classes = 10};
  EXPECT_EQ(count_parameters(sizes).text, count_parameters(plain).text);
  EXPECT_EQ(count_trained(sizes, kPrompt).text, 0);
  EXPECT_EQ(count_trained(sizes, kPrompt).context, 4 * 10 * 512);
  EXPECT_EQ(count_trained(sizes, {}).total(), count_parameters(sizes).total());
  sizes.context.classes = 0;
  EXPECT_EQ(count_trained(sizes, kPrompt).context, 4 * 512);
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

TEST(ForwardFlops, OfTheOtherHeadsAreThoseCountedByHand) {
  const double frames = 8, width = 512;
  const auto fusion_flops = [](FusionType type) {
    return forward_flops(sizes_of("ViT-B/32", 8, type), {.frames = 8}).fusion;
  };
  EXPECT_EQ(fusion_flops(FusionType::Conv_1D), 2 * 3 * frames * width);
  EXPECT_EQ(fusion_flops(FusionType::LSTM), 2 * 8 * frames * width * width);
  EXPECT_EQ(fusion_flops(FusionType::Transf_cls),
            6 * (2 * 9 * (4 * width * width + 2 * width * 2048) + 4 * 9 * 9 * width));
}

TEST(ForwardFlops, JointAttentionIsThatOfOneSequenceOfAllPatches) {
  auto sizes = sizes_of("ViT-B/16", 8, FusionType::meanP);
  sizes.vision.joint_frames = 8;
  const double length = 8 * 196 + 1, width = 768;
  const double embedding = 8 * 2.0 * 196 * width * width, projection = 2 * width * 512;
  const double block = 24 * length * width * width + 4 * length * length * width;
  const double last = 4 * length * width * width + 20 * width * width + 4 * length * width;
  EXPECT_EQ(forward_flops(sizes, {.frames = 8}).image, embedding + 11 * block + last + projection);
  EXPECT_EQ(count_parameters(sizes).image, count_parameters(sizes_of("ViT-B/16")).image + 8 * 768);
}

TEST(ForwardFlops, TheTemporalShiftCostsNothing) {
  auto sizes = sizes_of("ViT-B/16");
  const auto plain_flops = training_flops(sizes, {}).total();
  const auto plain_memory = step_memory(sizes, {}).total();
  sizes.vision.temporal_shift = true;
  EXPECT_EQ(training_flops(sizes, {}).total(), plain_flops);
  EXPECT_EQ(step_memory(sizes, {}).total(), plain_memory);
}

// Nothing needs the gradient of the pixels.
TEST(TrainingFlops, AreThreeTimesTheForwardPassWhereEverythingLearnsButForThePixels) {
  const auto sizes = sizes_of("ViT-B/16");
  const StepSettings step{.batch_size = 24, .accumulate_steps = 2, .ranks = 4};
  const double embedding = 8 * 2.0 * 196 * 768 * 768;
  EXPECT_DOUBLE_EQ(training_flops(sizes, step).total(),
                   6 * (3 * forward_flops(sizes, step).total() - embedding));
}

TEST(TrainingFlops, BelowTheLastBlocksNothingRunsBackward) {
  const auto sizes = sizes_of("ViT-B/16");
  const double whole_block = 8 * (24.0 * 197 * 768 * 768 + 4.0 * 197 * 197 * 768);
  const auto image = [&](std::int64_t blocks) {
    return training_flops(sizes, {.batch_size = 1, .trained = {.image_blocks = blocks}}).image;
  };
  const double forward = forward_flops(sizes, {}).image;
  EXPECT_DOUBLE_EQ(image(0), forward + 2 * 8 * 2.0 * 768 * 512);
  EXPECT_DOUBLE_EQ(image(4) - image(3), 2 * whole_block);
  EXPECT_LT(image(12), training_flops(sizes, {.batch_size = 1}).image);
}

// The gradient of its inputs alone: linear layers once more, attention's products of two activations twice.
TEST(TrainingFlops, AFrozenTextEncoderIsPassedOnTheWayToLearnedContext) {
  auto sizes = sizes_of("ViT-B/16");
  sizes.context.length = 4;
  const StepSettings step{.batch_size = 2, .trained = kPrompt};
  const double forward = forward_flops(sizes, step).text;
  const double attention = 4.0 * 512 * (11 * 16 * 16 + 16);
  EXPECT_DOUBLE_EQ(training_flops(sizes, step).text, 2 * (2 * forward + attention));
  EXPECT_EQ(training_flops(sizes, step).context, 0);
  EXPECT_GT(step_memory(sizes, step).kept_activations,
            step_memory(sizes_of("ViT-B/16"), step).kept_activations);
}

TEST(TrainingFlops, WithAClassifierNoTextIsEncoded) {
  auto sizes = sizes_of("ViT-B/16");
  sizes.classes = 400;
  const StepSettings step{.batch_size = 3};
  const auto flops = training_flops(sizes, step);
  EXPECT_EQ(flops.text, 0);
  EXPECT_EQ(flops.classifier, 3 * 3 * 2.0 * 512 * 400);
  const StepSettings stills{.batch_size = 3, .frames = 1, .fused = false};
  EXPECT_GT(training_flops(sizes, stills).text, 0);
  EXPECT_EQ(training_flops(sizes, stills).classifier, 0);
}

TEST(TrainingFlops, EachRankEncodesTheTextsOfAllClassesInEachAccumulationStep) {
  const auto sizes = sizes_of("ViT-B/16");
  StepSettings step{.batch_size = 16, .accumulate_steps = 2, .ranks = 4};
  const auto of_videos = training_flops(sizes, step);
  step.class_texts = 400;
  const auto of_classes = training_flops(sizes, step);
  EXPECT_DOUBLE_EQ(of_classes.text, of_videos.text / 4 * 2 * 400);
  EXPECT_EQ(of_classes.image, of_videos.image);
  EXPECT_GT(step_memory(sizes, step).kept_activations,
            step_memory(sizes, {.batch_size = 4}).kept_activations);
}

// They are encoded once for each template, and then known.
TEST(TrainingFlops, FrozenTextsOfAllClassesCostNothing) {
  auto sizes = sizes_of("ViT-B/16");
  StepSettings step{.batch_size = 16, .class_texts = 400, .trained = {.text = false}};
  EXPECT_EQ(training_flops(sizes, step).text, 0);
  EXPECT_GT(forward_flops(sizes, step).text, 0);
  const auto few = step_memory(sizes, step);
  step.class_texts = 4000;
  const auto many = step_memory(sizes, step);
  // Similarities and the normalised features of the texts, without an activation of the text encoder.
  EXPECT_DOUBLE_EQ(many.kept_activations - few.kept_activations, 4.0 * 3600 * (4 * 16 + 512));
  EXPECT_LE(many.working_memory, few.working_memory);
  step.class_texts = 0;
  EXPECT_GT(training_flops(sizes, step).text, 0) << "each video has its own text";
  step.class_texts = 400;
  step.trained.text = true;
  EXPECT_GT(training_flops(sizes, step).text, 0);
  step.trained = kPrompt;
  EXPECT_EQ(training_flops(sizes, step).text, 0);
  sizes.context.length = 4;
  EXPECT_GT(training_flops(sizes, step).text, 0) << "the context learns";
}

// No gradient goes into the state before the first frame, which is 0: one of T products less.
TEST(TrainingFlops, OfTheLstmAreThoseCountedByHand) {
  const auto sizes = sizes_of("ViT-B/32", 8, FusionType::LSTM);
  const double frames = 8, product = 8.0 * 512 * 512;  // of the four gates with a frame or a state
  const auto fusion = [&](const TrainedParts& trained) {
    return training_flops(sizes, {.batch_size = 1, .frames = 8, .trained = trained}).fusion;
  };
  EXPECT_DOUBLE_EQ(fusion({}), (6 * frames - 1) * product);
  EXPECT_DOUBLE_EQ(fusion({.image = false}), (5 * frames - 1) * product);
  EXPECT_DOUBLE_EQ(fusion({.fusion = false}), (4 * frames - 1) * product);
  EXPECT_DOUBLE_EQ(fusion({.image = false, .fusion = false}), 2 * frames * product);
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

TEST(StepMemory, AnAverageOfTheWeightsIsFourBytesOfATrainedParameter) {
  const auto sizes = sizes_of("ViT-B/32");
  StepSettings step{.trained = {.text = false}};
  const auto plain = step_memory(sizes, step);
  EXPECT_EQ(plain.average, 0);
  step.averaged = true;
  const auto averaged = step_memory(sizes, step);
  EXPECT_EQ(averaged.average, 4.0 * static_cast<double>(count_trained(sizes, step.trained).total()));
  EXPECT_DOUBLE_EQ(averaged.total(), plain.total() + averaged.average);
}

// It computes outside of autocast.
TEST(StepMemory, AClassifiersWeightsAreNotCopied) {
  auto sizes = sizes_of("ViT-B/32", 8, FusionType::meanP);
  sizes.classes = 400;
  const TrainedParts classifier_alone = {.image = false, .text = false, .logit_scale = false};
  const auto memory = step_memory(sizes, {.trained = classifier_alone, .precision = Precision::bf16});
  EXPECT_EQ(memory.low_precision, 0);
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
  EXPECT_NEAR(checkpointed.low_precision + checkpointed.working_memory, plain.low_precision,
              0.01 * plain.low_precision);
}

TEST(StepMemory, AFrozenTowerKeepsNothing) {
  const auto sizes = sizes_of("ViT-B/16");
  const auto prompt = step_memory(sizes, {.batch_size = 32, .trained = kPrompt});
  EXPECT_LT(prompt.kept_activations, 0.2 * kGiB);  // the fusion head's
  EXPECT_GT(prompt.working_memory, kGiB);          // a block of the image tower, forward
  EXPECT_EQ(step_memory(sizes, {.trained = kPrompt, .precision = Precision::bf16}).low_precision,
            2.0 * 6 * (12 * 512 * 512 + 9 * 512));
}

// Blocks that are frozen below those that learn leave nothing behind.
TEST(StepMemory, LastBlocksKeepTheirOwnActivationsAlone) {
  const auto sizes = sizes_of("ViT-B/16");
  const auto kept = [&](std::optional<std::int64_t> blocks) {
    const TrainedParts trained{.text = false, .image_blocks = blocks};
    return step_memory(sizes, {.batch_size = 32, .trained = trained}).kept_activations;
  };
  const double block = kept(3) - kept(2);
  EXPECT_GT(block, 0);
  EXPECT_DOUBLE_EQ(kept(12) - kept(2), 10 * block);
  EXPECT_GT(kept(std::nullopt), kept(12));
  EXPECT_LT(kept(0), 0.2 * block);
}

TEST(StepMemory, CheckpointingDoesNotReachAResNet) {
  const auto sizes = sizes_of("RN50", 8, FusionType::meanP);
  StepSettings step{.batch_size = 8, .trained = {.text = false}};
  const double plain = step_memory(sizes, step).kept_activations;
  step.activation_checkpointing = true;
  EXPECT_EQ(step_memory(sizes, step).kept_activations, plain);
}

// Of RN50 at 224 pixels: all that is behind a convolution, twice where a ReLU follows, counted by hand in
// values a frame.
TEST(StepMemory, AResNetKeepsWhatIsBehindItsConvolutions) {
  const auto sizes = sizes_of("RN50", 1, FusionType::meanP);
  const auto kept = [&](std::int64_t videos) {
    return step_memory(sizes, {.batch_size = videos, .frames = 1, .trained = {.text = false}})
        .kept_activations;
  };
  const double pixels = 3.0 * 224 * 224, stem = 2 * (32 + 32 + 64) * 112.0 * 112 + 64 * 56.0 * 56;
  const double stage1 = 3 * 2 * (64 + 64 + 256) * 56.0 * 56 + 256 * 56.0 * 56;
  const auto later = [](double planes, double side, double blocks) {
    const double places = side * side;
    const double convolutions = blocks * 2 * (planes + planes + 4 * planes) * places;
    const double first_is_larger = 3 * 2 * (planes + planes) * places;
    const double pooled = planes * places + 2 * planes * places, shortcut = 4 * planes * places;
    return convolutions + first_is_larger + pooled + shortcut;
  };
  const double values = pixels + stem + stage1 + later(128, 28, 4) + later(256, 14, 6) + later(512, 7, 3);
  EXPECT_NEAR((kept(32) - kept(16)) / 16, 4 * values, 0.03 * 4 * values);  // the attention pool comes on top
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

TEST(StepTraffic, TheGradientOfLearnedContextComesBackThroughAFrozenText) {
  auto sizes = sizes_of("ViT-B/32");
  const StepSettings step{.batch_size = 64, .ranks = 2, .trained = kPrompt};
  EXPECT_DOUBLE_EQ(step_traffic(sizes, step).features, 3 * 0.5 * 64 * 512 * 4);
  sizes.context.length = 4;
  EXPECT_DOUBLE_EQ(step_traffic(sizes, step).features, 4 * 0.5 * 64 * 512 * 4);
}

// A rank's videos need nothing of the others.
TEST(StepTraffic, ComparedWithAllClassesOnlyGradientsOfParametersTravel) {
  auto sizes = sizes_of("ViT-B/32");
  StepSettings step{.batch_size = 64, .ranks = 2, .class_texts = 400};
  const auto of_texts = step_traffic(sizes, step);
  EXPECT_EQ(of_texts.total(), of_texts.gradients);
  EXPECT_GT(of_texts.gradients, 0);
  step.class_texts = 0;
  sizes.classes = 400;
  const auto of_classifier = step_traffic(sizes, step);
  EXPECT_EQ(of_classifier.total(), of_classifier.gradients);
}

}  // namespace
}  // namespace actionclip
