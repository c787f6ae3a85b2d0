// Learning-rate ratios of every parameter of an encoder, against BEiT's rule in Python.

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "actionclip/train/encoder_layers.h"
#include "actionclip/train/parameter_groups.h"

#include "tests/parity/run_python.h"
#include "tests/weights/small_model.h"

namespace actionclip {
namespace {

constexpr double kDecay = 0.7;

TEST(LayerDecayParity, TheRatiosOfEveryParameterAreBeits) {
  auto sizes = small_sizes();
  sizes.vision.layers = 4;
  sizes.text.layers = 3;
  ActionClip model(sizes);
  TrainConfig config;
  config.layer_decay = kDecay;
  std::map<std::string, double> ratios;
  for (const auto& group : trainable_groups(model, config, /*fix_text=*/false)) {
    if (group.name == "fusion") continue;
    for (const auto& name : group.names) ratios.emplace(name, group.lr_ratio);
  }
  std::vector<std::string> names;
  for (const auto& [name, ratio] : ratios) names.push_back(name);
  const nlohmann::json request = {
      {"names", names}, {"decay", kDecay}, {"image", std::vector<int>{4}}, {"text", 3}};
  const auto expected = nlohmann::json::parse(run_python("layer_decay_reference.py", {request.dump()}));
  ASSERT_EQ(expected.size(), ratios.size());
  for (const auto& [name, ratio] : ratios) EXPECT_NEAR(ratio, expected.at(name).get<double>(), 1e-12) << name;
}

// Of a model that is not built here: only its names are looked at.
TEST(LayerDecayParity, AResNetsBlocksAreNumberedOverItsStages) {
  VisionConfig vision;
  vision.stages = {2, 1, 3, 1};
  std::vector<std::string> names = {"visual.conv1.weight", "visual.bn1.bias",
                                    "visual.attnpool.q_proj.weight"};
  for (int stage = 0; stage < 4; ++stage) {
    for (int block = 0; block < vision.stages[stage]; ++block)
      names.push_back(fmt::format("visual.layer{}.{}.conv2.weight", stage + 1, block));
  }
  const nlohmann::json request = {{"names", names}, {"decay", kDecay}, {"image", vision.stages}, {"text", 0}};
  const auto expected = nlohmann::json::parse(run_python("layer_decay_reference.py", {request.dump()}));
  for (const auto& name : names) {
    const auto depth = count_blocks(vision) + 1 - layer_of(name, vision);
    EXPECT_NEAR(std::pow(kDecay, depth), expected.at(name).get<double>(), 1e-12) << name;
  }
}

}  // namespace
}  // namespace actionclip
