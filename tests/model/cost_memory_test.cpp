// The memory that cost.h predicts, against the tensors that a step really allocates.

#include <memory>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "actionclip/distributed/process_group.h"
#include "actionclip/model/action_clip.h"
#include "actionclip/model/autocast.h"
#include "actionclip/model/cost.h"
#include "actionclip/train/loss.h"

#include "tests/model/cost_cases.h"
#include "tests/model/tensor_memory.h"

namespace actionclip {
namespace {

// Of an accumulation step.
struct Inputs {
  at::Tensor clips, label_ids;
  at::Tensor tokens, placeholders;  // of the videos' texts, or of those of all classes
  at::Tensor class_features;        // of frozen class texts; undefined: the texts are encoded in the step
};

Inputs make_inputs(const ActionClipConfig& sizes, const StepSettings& step) {
  const std::int64_t size = sizes.vision.image_size, last = sizes.text.vocabulary_size - 1;
  const std::int64_t videos = step.batch_size / step.accumulate_steps;
  const std::int64_t texts = step.class_texts > 0 ? step.class_texts : videos;
  const std::int64_t learned = sizes.context.length;
  Inputs inputs;
  inputs.clips = at::randint(0, 256, {videos, step.frames, 3, size, size}, at::kByte);
  inputs.tokens = at::zeros({texts, sizes.text.context_length}, at::kLong);
  inputs.tokens.narrow(1, 0, step.text_length - 1).random_(1, last);
  inputs.tokens.select(1, step.text_length - 1).fill_(last);
  if (learned > 0) inputs.placeholders = at::arange(1, 1 + learned, at::kLong).expand({texts, learned});
  inputs.label_ids = at::arange(videos, at::kLong);
  return inputs;
}

at::Tensor encode_texts(ActionClip& model, const Inputs& inputs, Precision precision) {
  const Autocast autocast(c10::kCPU, precision);
  return model->encode_text({inputs.tokens, inputs.placeholders, inputs.label_ids});
}

at::Tensor encode_videos(ActionClip& model, const Inputs& inputs, Precision precision) {
  const Autocast autocast(c10::kCPU, precision);
  return model->encode_video(inputs.clips);
}

// As the learner's.
at::Tensor loss_of(ActionClip& model, const Inputs& inputs, const StepSettings& step) {
  constexpr double kLabelSmoothing = 0;
  const auto video = encode_videos(model, inputs, step.precision);
  if (model->config().classes > 0)
    return classification_loss(model->classifier(video), inputs.label_ids, kLabelSmoothing);
  const auto text =
      inputs.class_features.defined() ? inputs.class_features : encode_texts(model, inputs, step.precision);
  if (step.class_texts > 0) {
    return classification_loss(class_logits(video, text, model->logit_scale), inputs.label_ids,
                               kLabelSmoothing);
  }
  SingleProcess alone;
  return contrastive_loss(video, text, model->logit_scale, inputs.label_ids, LossTarget::softmax, alone);
}

void run_step(ActionClip& model, const Inputs& inputs, const StepSettings& step) {
  for (std::int64_t part = 0; part < step.accumulate_steps; ++part) loss_of(model, inputs, step).backward();
}

// Of a step whose gradients exist already, as from the second on.
std::int64_t measured_peak(const ActionClipConfig& sizes, const StepSettings& step) {
  ActionClip model(sizes);
  let_learn(model, step.trained);
  set_activation_checkpointing(*model, step.activation_checkpointing);
  auto inputs = make_inputs(sizes, step);
  if (step.class_texts > 0 && !step.trained.text)
    inputs.class_features = encode_texts(model, inputs, step.precision);
  run_step(model, inputs, step);
  model->zero_grad(/*set_to_none=*/false);
  const auto memory = std::make_shared<TensorMemory>();
  {
    const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, memory);
    run_step(model, inputs, step);
  }
  return memory->peak();
}

constexpr TrainedParts kPrompt = {.image = false, .text = false, .logit_scale = false};

struct MemoryCase {
  std::string name;
  ActionClipConfig sizes;
  TrainedParts trained;
  std::int64_t videos = 8, frames = 4;
  bool activation_checkpointing = false;
  std::int64_t accumulate_steps = 1, class_texts = 0;
};

std::vector<MemoryCase> memory_cases() {
  return {{"all", small_model(), {}},
          {"checkpointed", small_model(), {}, 8, 4, true},
          {"prompt", small_model(), kPrompt},
          {"joint", small_joint_model(), {}},
          {"shift", small_shift_model(), {}},
          {"shift, checkpointed", small_shift_model(), {}, 8, 4, true},
          {"mean", small_model(FusionType::meanP), {}},
          {"accumulated", small_model(), {}, 8, 4, false, 2},
          {"text frozen", small_model(), {.text = false}},
          {"scaled", small_scaled_model(), {}},
          {"LSTM", small_model(FusionType::LSTM), {}},
          {"Transf_cls", small_model(FusionType::Transf_cls), {}},
          {"Conv_1D", small_model(FusionType::Conv_1D), {}},
          {"last blocks", small_model(), {.image_blocks = 2, .text_blocks = 1}},
          {"last block", small_model(), {.image_blocks = 1, .text_blocks = 0}},
          {"resnet", small_resnet_model(), {}},
          {"resnet, last blocks", small_resnet_model(), {.image_blocks = 2}},
          {"resnet, prompt", small_resnet_model(FusionType::Transf), kPrompt}};
}

// Images of one patch and wide features: what the heads keep is most of it.
ActionClipConfig model_of_head(FusionType fusion) {
  auto sizes = small_model(fusion);
  sizes.vision = {.image_size = 8, .patch_size = 8, .width = 32, .layers = 1, .heads = 1, .output_dim = 128};
  sizes.text.output_dim = sizes.fusion.width = 128;
  sizes.fusion.frames = 16;
  return sizes;
}

// Images of one patch and narrow: what texts and classes keep is most of it.
ActionClipConfig model_of_texts(std::int64_t layers) {
  auto sizes = small_model(FusionType::meanP);
  sizes.vision = {.image_size = 8, .patch_size = 8, .width = 32, .layers = 1, .heads = 1, .output_dim = 128};
  sizes.text.layers = layers;
  sizes.text.output_dim = sizes.fusion.width = 128;
  sizes.fusion.frames = 2;
  return sizes;
}

std::vector<MemoryCase> text_cases() {
  auto context = model_of_texts(4), classifier = model_of_texts(1);
  context.context.length = 4;
  classifier.classes = 4000;
  return {{"context", context, kPrompt, 64, 2},
          {"context, checkpointed", context, kPrompt, 64, 2, true},
          {"classifier", classifier, kPrompt, 128, 2},
          {"class texts", model_of_texts(4), {}, 8, 2, false, 1, 128},
          {"frozen class texts", model_of_texts(1), {.text = false}, 128, 2, false, 1, 4000}};
}

void expect_near_measured(const MemoryCase& memory_case) {
  for (const auto precision : {Precision::fp32, Precision::bf16}) {
    SCOPED_TRACE(fmt::format("{}, precision {}", memory_case.name, static_cast<int>(precision)));
    const StepSettings step{.batch_size = memory_case.videos,
                            .accumulate_steps = memory_case.accumulate_steps,
                            .frames = memory_case.frames,
                            .text_length = 12,
                            .class_texts = memory_case.class_texts,
                            .trained = memory_case.trained,
                            .precision = precision,
                            .activation_checkpointing = memory_case.activation_checkpointing};
    const auto memory = step_memory(memory_case.sizes, step);
    const double predicted = memory.low_precision + memory.kept_activations + memory.working_memory;
    const auto measured = static_cast<double>(measured_peak(memory_case.sizes, step));
    EXPECT_NEAR(predicted, measured, 0.15 * measured);
  }
}

TEST(CostMemory, ActivationsAreWhatAStepAllocates) {
  for (const auto& memory_case : memory_cases()) expect_near_measured(memory_case);
}

TEST(CostMemory, ActivationsOfTextsAndClassesAreWhatAStepAllocates) {
  for (const auto& memory_case : text_cases()) expect_near_measured(memory_case);
}

TEST(CostMemory, ActivationsOfTheHeadsAreWhatAStepAllocates) {
  for (const auto fusion : {FusionType::Transf, FusionType::LSTM, FusionType::Transf_cls}) {
    expect_near_measured(
        {fmt::format("head {}", static_cast<int>(fusion)), model_of_head(fusion), kPrompt, 64, 16});
  }
}

}  // namespace
}  // namespace actionclip
