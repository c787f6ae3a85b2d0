// Gradients of the last blocks alone, against those that Python finds for the whole model.

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "actionclip/train/learner.h"
#include "actionclip/weights/initialize.h"

#include "tests/parity/reference_files.h"
#include "tests/parity/run_python.h"

namespace actionclip {
namespace {

// Of two blocks an encoder: the second and what follows it, the fusion head and logit_scale.
bool should_learn(const std::string& name) {
  constexpr std::array<std::string_view, 8> kLast = {"visual.transformer.resblocks.1.",
                                                     "visual.ln_post.",
                                                     "visual.proj",
                                                     "transformer.resblocks.1.",
                                                     "ln_final.",
                                                     "text_projection",
                                                     "logit_scale",
                                                     "fusion."};
  return std::ranges::any_of(kLast, [&](std::string_view prefix) { return name.starts_with(prefix); });
}

TEST(LastBlocksParity, WhatLearnsHasTheGradientsOfTheWholeModelAndTheRestHasNone) {
  const TemporaryFolder folder;
  run_python("last_blocks_reference.py", {folder.path().string()});
  const auto expected = read_tensors((folder / "io.safetensors").string());
  TrainConfig config;
  config.image_blocks = 1;
  config.text_blocks = 1;
  config.target = LossTarget::identity;
  Learner learner(build_model(load_weights(folder / "weights.safetensors", /*frames=*/4)), config,
                  /*fix_text=*/false, c10::kCPU);
  const TrainBatch batch{
      .clips = expected.at("clips"), .tokens = expected.at("tokens"), .label_ids = at::arange(4, at::kLong)};
  const auto report = learner.step(1e-6, [&] { return batch; });
  EXPECT_NEAR(report.loss, expected.at("loss").item<double>(), 1e-5);
  int learning = 0, frozen = 0;
  for (const auto& parameter : learner.model()->named_parameters()) {
    const auto& name = parameter.key();
    const auto& gradient = parameter.value().grad();
    ASSERT_EQ(gradient.defined(), should_learn(name)) << name;
    ++(gradient.defined() ? learning : frozen);
    if (!gradient.defined()) continue;
    EXPECT_LT(relative_error(gradient, expected.at("grad." + name)), 1e-4) << name;
  }
  EXPECT_EQ(learning, 2 * 12 + 3 + 3 + 1 + 13);
  EXPECT_EQ(frozen, 2 * 12 + 5 + 2);
}

}  // namespace
}  // namespace actionclip
