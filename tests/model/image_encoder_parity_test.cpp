// The image encoders against open_clip, the visual prompts against plain PyTorch, with the same random
// weights.

#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "actionclip/model/config.h"
#include "actionclip/model/image_encoder.h"

#include "tests/parity/module_reference.h"
#include "tests/parity/reference_files.h"
#include "tests/parity/run_python.h"
#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

constexpr double kTolerance = 1e-4;

// An encoder with the reference's weights.
std::shared_ptr<ImageEncoder> load_encoder(const VisionConfig& config, const Tensors& reference) {
  auto encoder = make_image_encoder(config);
  take_weights(*encoder, reference);
  return encoder;
}

// The sizes of a named architecture, but for what `vision` gives.
VisionConfig named(const std::string& arch, const VisionOverrides& vision) {
  ModelConfig config;
  config.arch = arch;
  config.vision = vision;
  return resolve(config).vision;
}

TEST(VisionTransformerParity, FeaturesAndGradientsEqualOpenClips) {
  const TemporaryFolder folder;
  run_python("image_encoder_reference.py", {"vit", folder.path().string()});
  const std::vector<std::pair<std::string, VisionConfig>> cases = {
      {"quick_gelu",
       {.image_size = 48, .patch_size = 16, .width = 64, .layers = 3, .heads = 4, .output_dim = 24}},
      {"gelu",
       {.image_size = 48,
        .patch_size = 16,
        .width = 96,
        .layers = 3,
        .heads = 2,
        .output_dim = 40,
        .mlp_width = 144,
        .activation = Activation::gelu}},
      {"layer_scale",
       {.image_size = 32,
        .patch_size = 8,
        .width = 64,
        .layers = 2,
        .heads = 2,
        .output_dim = 32,
        .activation = Activation::gelu,
        .layer_scale = true}},
      {"ViT-L/14", named("ViT-L/14", {.layers = 2})},
      {"ViT-L/14@336px", named("ViT-L/14@336px", {.layers = 2})},
  };
  for (const auto& [name, config] : cases) {
    SCOPED_TRACE(name);
    const auto reference = read_case(folder, name);
    const auto encoder = load_encoder(config, reference);
    const at::AutoGradMode with_graph(reference.contains("upstream"));
    const auto features = encoder->forward(reference.at("images"), 1);
    EXPECT_LT(relative_error(features, reference.at("features")), kTolerance);
    if (reference.contains("upstream")) expect_same_gradients(features, *encoder, reference, kTolerance);
  }
}

TEST(VisualPromptsParity, FeaturesAndGradientsAreThoseOfTheDescription) {
  const TemporaryFolder folder;
  run_python("visual_prompts_reference.py", {folder.path().string()});
  VisionConfig shift = {
      .image_size = 32, .patch_size = 16, .width = 64, .layers = 3, .heads = 4, .output_dim = 24};
  VisionConfig joint = shift;
  shift.temporal_shift = true;
  joint.joint_frames = 4;
  const std::vector<std::tuple<std::string, VisionConfig, std::int64_t>> cases = {
      {"shift", shift, 4},       {"shift_still", shift, 1}, {"joint", joint, 4},
      {"joint_still", joint, 1}, {"joint_short", joint, 3},
  };
  for (const auto& [name, config, frames] : cases) {
    SCOPED_TRACE(name);
    const auto reference = read_case(folder, name);
    const auto encoder = load_encoder(config, reference);
    const auto features = encoder->forward(reference.at("images"), frames);
    EXPECT_LT(relative_error(features, reference.at("features")), kTolerance);
    expect_same_gradients(features, *encoder, reference, kTolerance);
  }
}

// In evaluation, and in a training step, which changes the running statistics.
TEST(ModifiedResNetParity, FeaturesGradientsAndRunningStatisticsEqualOpenClips) {
  const TemporaryFolder folder;
  run_python("image_encoder_reference.py", {"resnet", folder.path().string()});
  const std::vector<std::pair<std::string, VisionConfig>> cases = {
      {"small", {.image_size = 64, .width = 16, .heads = 8, .output_dim = 24, .stages = {1, 1, 1, 1}}},
      {"uneven", {.image_size = 64, .width = 16, .heads = 4, .output_dim = 40, .stages = {1, 2, 1, 2}}},
      {"RN50", named("RN50", {.image_size = 64})},
  };
  for (const auto& [name, config] : cases) {
    SCOPED_TRACE(name);
    const auto reference = read_case(folder, name);
    const auto encoder = load_encoder(config, reference);
    {
      const at::NoGradGuard no_grad;
      encoder->eval();
      const auto features = encoder->forward(reference.at("images"), 1);
      EXPECT_LT(relative_error(features, reference.at("features")), kTolerance);
    }
    if (!reference.contains("upstream")) continue;
    encoder->train();
    const auto features = encoder->forward(reference.at("images"), 1);
    EXPECT_LT(relative_error(features, reference.at("trained.features")), kTolerance);
    expect_same_gradients(features, *encoder, reference, kTolerance);
    for (const auto& buffer : encoder->named_buffers()) {
      EXPECT_LT(relative_error(buffer.value(), reference.at("after." + buffer.key())), kTolerance)
          << buffer.key();
    }
  }
}

class LargeModifiedResNetParity : public ::testing::TestWithParam<std::string> {};

// Each in a test of its own: some hundred MB of weights.
TEST_P(LargeModifiedResNetParity, FeaturesEqualOpenClips) {
  const TemporaryFolder folder;
  run_python("image_encoder_reference.py", {GetParam(), folder.path().string()});
  const auto reference = read_case(folder, GetParam());
  const auto encoder = load_encoder(named(GetParam(), {.image_size = 32}), reference);
  const at::NoGradGuard no_grad;
  encoder->eval();
  const auto features = encoder->forward(reference.at("images"), 1);
  EXPECT_GT(features.abs().max().item<double>(), 0);
  EXPECT_LT(relative_error(features, reference.at("features")), kTolerance);
}

INSTANTIATE_TEST_SUITE_P(Of, LargeModifiedResNetParity, ::testing::Values("RN101", "RN50x4"),
                         [](const auto& info) { return info.param; });

TEST(PositionsParity, ResizedPositionsEqualOpenClips) {
  const TemporaryFolder folder;
  run_python("image_encoder_reference.py", {"positions", folder.path().string()});
  const auto reference = read_case(folder, "positions");
  int grids = 0, times = 0;
  for (const auto& [name, source] : reference) {
    if (!name.ends_with(".from")) continue;
    const auto pair = name.substr(0, name.size() - std::string(".from").size());
    const auto& expected = reference.at(pair + ".to");
    const auto size = std::stoll(pair.substr(pair.rfind('.') + 1));
    const bool in_time = pair.starts_with("time.");
    const auto resized = in_time ? resize_time_positions(source, size) : resize_positions(source, size);
    EXPECT_LT(relative_error(resized, expected), kTolerance) << pair;
    ++(in_time ? times : grids);
  }
  EXPECT_EQ(grids, 7);
  EXPECT_EQ(times, 5);
}

}  // namespace
}  // namespace actionclip
