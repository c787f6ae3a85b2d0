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

struct Inputs {
  at::Tensor clips, tokens, label_ids;
};

Inputs make_inputs(const ActionClipConfig& sizes, const StepSettings& step) {
  const std::int64_t size = sizes.vision.image_size, last = sizes.text.vocabulary_size - 1;
  Inputs inputs;
  inputs.clips = at::randint(0, 256, {step.batch_size, step.frames, 3, size, size}, at::kByte);
  inputs.tokens = at::zeros({step.batch_size, sizes.text.context_length}, at::kLong);
  inputs.tokens.narrow(1, 0, step.text_length - 1).random_(1, last);
  inputs.tokens.select(1, step.text_length - 1).fill_(last);
  inputs.label_ids = at::arange(step.batch_size, at::kLong);
  return inputs;
}

void run_step(ActionClip& model, const Inputs& inputs, Precision precision) {
  at::Tensor video, text;
  {
    const Autocast autocast(c10::kCPU, precision);
    video = model->encode_video(inputs.clips);
    text = model->encode_text(inputs.tokens);
  }
  SingleProcess alone;
  contrastive_loss(video, text, model->logit_scale, inputs.label_ids, LossTarget::softmax, alone).backward();
}

// Of a step whose gradients exist already, as from the second on.
std::int64_t measured_peak(const ActionClipConfig& sizes, const StepSettings& step) {
  ActionClip model(sizes);
  let_learn(model, step.trained);
  set_activation_checkpointing(*model, step.activation_checkpointing);
  const auto inputs = make_inputs(sizes, step);
  run_step(model, inputs, step.precision);
  model->zero_grad(/*set_to_none=*/false);
  const auto memory = std::make_shared<TensorMemory>();
  {
    const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, memory);
    run_step(model, inputs, step.precision);
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
};

std::vector<MemoryCase> memory_cases() {
  return {{"all", small_model(), {}},
          {"checkpointed", small_model(), {}, 8, 4, true},
          {"prompt", small_model(), kPrompt},
          {"joint", small_joint_model(), {}},
          {"shift", small_shift_model(), {}},
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

void expect_near_measured(const MemoryCase& memory_case) {
  for (const auto precision : {Precision::fp32, Precision::bf16}) {
    SCOPED_TRACE(fmt::format("{}, precision {}", memory_case.name, static_cast<int>(precision)));
    const StepSettings step{.batch_size = memory_case.videos,
                            .frames = memory_case.frames,
                            .text_length = 12,
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

TEST(CostMemory, ActivationsOfTheHeadsAreWhatAStepAllocates) {
  for (const auto fusion : {FusionType::Transf, FusionType::LSTM, FusionType::Transf_cls}) {
    expect_near_measured(
        {fmt::format("head {}", static_cast<int>(fusion)), model_of_head(fusion), kPrompt, 64, 16});
  }
}

}  // namespace
}  // namespace actionclip
