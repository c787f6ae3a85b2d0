// Attention roll-out against whole matrices in Python.

#include <string>
#include <tuple>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "actionclip/model/config.h"
#include "actionclip/model/image_encoder.h"

#include "tests/parity/module_reference.h"
#include "tests/parity/run_python.h"
#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

constexpr double kTolerance = 1e-5;

TEST(AttentionRolloutParity, MapsEqualPythonsWithAndWithoutVisualPrompts) {
  const TemporaryFolder folder;
  run_python("attention_rollout_reference.py", {folder.path().string()});
  const VisionConfig plain = {
      .image_size = 32, .patch_size = 16, .width = 64, .layers = 3, .heads = 4, .output_dim = 24};
  VisionConfig shift = plain, joint = plain;
  shift.temporal_shift = true;
  joint.joint_frames = 4;
  const std::vector<std::tuple<std::string, VisionConfig, std::int64_t>> cases = {
      {"plain", plain, 4}, {"shift", shift, 4},       {"shift_still", shift, 1},
      {"joint", joint, 4}, {"joint_short", joint, 3},
  };
  for (const auto& [name, config, frames] : cases) {
    SCOPED_TRACE(name);
    const auto reference = read_case(folder, name);
    const auto encoder = make_image_encoder(config);
    take_weights(*encoder, reference);
    encoder->eval();
    const auto maps = encoder->attention_maps(reference.at("images"), frames);
    EXPECT_FALSE(maps.requires_grad());
    EXPECT_LT(relative_error(maps, reference.at("maps")), kTolerance);
  }
}

}  // namespace
}  // namespace actionclip
