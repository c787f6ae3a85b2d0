// What cost.h computes, against built models, an independent counter of operations and the tensors that a
// step really allocates.

#include <algorithm>
#include <map>
#include <memory>
#include <string>

#include <ATen/ATen.h>
#include <c10/core/Allocator.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "actionclip/distributed/process_group.h"
#include "actionclip/model/action_clip.h"
#include "actionclip/model/autocast.h"
#include "actionclip/model/cost.h"
#include "actionclip/train/loss.h"
#include "actionclip/train/parameter_groups.h"

#include "tests/parity/run_python.h"

namespace actionclip {
namespace {

ActionClipConfig sizes_of(const std::string& arch, FusionType fusion) {
  ModelConfig config;
  config.arch = arch;
  config.fusion = fusion;
  return resolve(config);
}

ActionClipConfig custom_sizes(FusionType fusion = FusionType::Transf) {
  ActionClipConfig sizes;
  sizes.vision = {.image_size = 64, .patch_size = 8, .width = 128, .layers = 4, .heads = 2, .output_dim = 64};
  sizes.text = {
      .context_length = 16, .vocabulary_size = 500, .width = 96, .layers = 2, .heads = 2, .output_dim = 64};
  sizes.fusion = {.type = fusion, .width = 64, .layers = 2, .heads = 2, .frames = 4};
  return sizes;
}

PerPart<std::int64_t> count(const ActionClip& model, bool trained_only = false) {
  PerPart<std::int64_t> counts;
  for (const auto& parameter : model->named_parameters()) {
    if (trained_only && !parameter.value().requires_grad()) continue;
    const auto part = part_of(parameter.key());
    auto& of_part = part == ModelPart::image    ? counts.image
                    : part == ModelPart::fusion ? counts.fusion
                                                : counts.text;
    of_part += parameter.value().numel();
  }
  return counts;
}

void expect_equal(const PerPart<std::int64_t>& computed, const PerPart<std::int64_t>& counted) {
  EXPECT_EQ(computed.image, counted.image);
  EXPECT_EQ(computed.text, counted.text);
  EXPECT_EQ(computed.fusion, counted.fusion);
}

TEST(Cost, ParametersAreThoseOfTheBuiltModels) {
  for (const auto fusion : {FusionType::Transf, FusionType::meanP}) {
    for (const auto& sizes :
         {sizes_of("ViT-B/32", fusion), sizes_of("ViT-B/16", fusion), custom_sizes(fusion)}) {
      SCOPED_TRACE(fmt::format("width {}, patch {}", sizes.vision.width, sizes.vision.patch_size));
      expect_equal(count_parameters(sizes), count(ActionClip(sizes)));
    }
  }
}

TEST(Cost, TrainedParametersAreThoseOfEachTasksGroups) {
  const auto sizes = custom_sizes();
  for (const auto task : {TrainTask::pretrain, TrainTask::prompt, TrainTask::finetune}) {
    for (const bool fix_text : {false, true}) {
      SCOPED_TRACE(fmt::format("task {}, fix_text {}", static_cast<int>(task), fix_text));
      ActionClip model(sizes);
      TrainConfig config;
      config.task = task;
      trainable_groups(model, config, fix_text);
      expect_equal(count_trained(sizes, trained_parts(task, fix_text)), count(model, /*trained_only=*/true));
    }
  }
}

nlohmann::json reference_flops(const ActionClipConfig& sizes, const StepSettings& step) {
  const auto& vision = sizes.vision;
  const auto& text = sizes.text;
  const nlohmann::json request = {
      {"vision",
       {{"image_size", vision.image_size},
        {"patch_size", vision.patch_size},
        {"width", vision.width},
        {"layers", vision.layers},
        {"heads", vision.heads}}},
      {"text",
       {{"width", text.width}, {"layers", text.layers}, {"heads", text.heads}, {"length", step.text_length}}},
      {"fusion", {{"layers", sizes.fusion.layers}, {"frames", step.frames}}},
      {"embed_dim", vision.output_dim}};
  return nlohmann::json::parse(run_python("flop_reference.py", {request.dump()}));
}

class FlopParity : public ::testing::TestWithParam<const char*> {};

// Both towers compute their last block for one position; the reference counts that too, and the whole block.
TEST_P(FlopParity, ForwardFlopsEqualTorchsCounter) {
  const std::string arch = GetParam();
  const auto sizes = arch == "custom" ? custom_sizes() : sizes_of(arch, FusionType::Transf);
  const StepSettings step{.frames = 4, .text_length = 11};
  const auto reference = reference_flops(sizes, step);
  const auto flops = forward_flops(sizes, step);
  const auto expect_tower = [](double ours, const nlohmann::json& tower) {
    EXPECT_DOUBLE_EQ(ours, tower.at("one_position").get<double>());
    EXPECT_LT(ours, tower.at("whole").get<double>());
  };
  expect_tower(flops.image / static_cast<double>(step.frames), reference.at("image"));
  expect_tower(flops.text, reference.at("text"));
  EXPECT_DOUBLE_EQ(flops.fusion, reference.at("fusion").get<double>());
}

INSTANTIATE_TEST_SUITE_P(Sizes, FlopParity, ::testing::Values("ViT-B/32", "ViT-B/16", "custom"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::erase_if(
                               name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; });
                           return name;
                         });

// Adds up the tensors that are allocated and freed on the CPU while it is the thread's, as the profiler does.
class TensorMemory : public c10::MemoryReportingInfoBase {
 public:
  void reportMemoryUsage(void* /*memory*/, std::int64_t bytes, std::size_t /*allocated*/,
                         std::size_t /*reserved*/, c10::Device /*device*/) override {
    alive_ += bytes;
    peak_ = std::max(peak_, alive_);
  }
  bool memoryProfilingEnabled() const override { return true; }
  std::int64_t peak() const { return peak_; }

 private:
  std::int64_t alive_ = 0;
  std::int64_t peak_ = 0;
};

struct Inputs {
  at::Tensor clips, tokens, label_ids;
};

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
  for (const auto& [part, learns] : std::map<ModelPart, bool>{{ModelPart::image, step.trained.image},
                                                              {ModelPart::text, step.trained.text},
                                                              {ModelPart::fusion, step.trained.fusion}}) {
    model->set_trainable(part, learns);
  }
  const std::int64_t size = sizes.vision.image_size, last = sizes.text.vocabulary_size - 1;
  Inputs inputs;
  inputs.clips = at::randint(0, 256, {step.batch_size, step.frames, 3, size, size}, at::kByte);
  inputs.tokens = at::zeros({step.batch_size, sizes.text.context_length}, at::kLong);
  inputs.tokens.narrow(1, 0, step.text_length - 1).random_(1, last);
  inputs.tokens.select(1, step.text_length - 1).fill_(last);
  inputs.label_ids = at::arange(step.batch_size, at::kLong);
  run_step(model, inputs, step.precision);
  model->zero_grad(/*set_to_none=*/false);
  const auto memory = std::make_shared<TensorMemory>();
  {
    const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, memory);
    run_step(model, inputs, step.precision);
  }
  return memory->peak();
}

TEST(Cost, ActivationsAreWhatAStepAllocates) {
  const auto sizes = custom_sizes();
  const TrainedParts prompt{.image = false, .text = false, .fusion = true, .logit_scale = false};
  for (const auto precision : {Precision::fp32, Precision::bf16}) {
    for (const auto& trained : {TrainedParts{}, prompt}) {
      SCOPED_TRACE(fmt::format("precision {}, image {}", static_cast<int>(precision), trained.image));
      const StepSettings step{
          .batch_size = 8, .frames = 4, .text_length = 12, .trained = trained, .precision = precision};
      const auto memory = step_memory(sizes, step);
      const double predicted = memory.low_precision + memory.kept_activations + memory.working_memory;
      const auto measured = static_cast<double>(measured_peak(sizes, step));
      EXPECT_NEAR(predicted, measured, 0.1 * measured);
    }
  }
}

}  // namespace
}  // namespace actionclip
