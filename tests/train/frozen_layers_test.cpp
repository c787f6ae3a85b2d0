// That frozen layers save memory: no graph and no activations are kept below the first layer that learns.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/function.h>

#include "actionclip/train/parameter_groups.h"

#include "tests/model/tensor_memory.h"
#include "tests/weights/small_model.h"

namespace actionclip {
namespace {

using Blocks = std::optional<std::int64_t>;

constexpr std::int64_t kVideos = 4, kTexts = 5;

// What is frozen, with its batch normalisation, takes part as in evaluation: as the learner has it.
void freeze_statistics(ActionClip& model) {
  for (const auto& module : model->modules()) {
    const auto parameters = module->parameters();
    if (std::ranges::none_of(parameters, [](const at::Tensor& tensor) { return tensor.requires_grad(); }))
      module->eval();
  }
}

// A model with so many blocks in both encoders, of which the last `learning` learn. A ResNet has three times
// as many in its first stage, where images are largest, and one in each of the others.
ActionClip make_model(bool resnet, std::int64_t layers, const Blocks& learning) {
  auto sizes = small_sizes();
  sizes.vision.layers = layers;
  if (resnet) {
    sizes.vision = {
        .image_size = 32, .width = 8, .heads = 4, .output_dim = 64, .stages = {3 * layers, 1, 1, 1}};
  }
  sizes.text.layers = layers;
  ActionClip model(sizes);
  TrainConfig config;
  config.image_blocks = learning;
  config.text_blocks = learning;
  trainable_groups(model, config, /*fix_text=*/false);
  freeze_statistics(model);
  return model;
}

at::Tensor frames_of(ActionClip& model) {
  const auto side = model->config().vision.image_size;
  return model->encode_frames(at::zeros({kVideos, 2, 3, side, side}, at::kByte));
}

at::Tensor texts_of(ActionClip& model) {
  const auto& text = model->config().text;
  auto tokens = at::ones({kTexts, text.context_length}, at::kLong);
  tokens.select(1, text.context_length - 1).fill_(text.vocabulary_size - 1);
  return model->encode_text(tokens);
}

struct Encoder {
  const char* name;
  at::Tensor (*encode)(ActionClip&);
  bool resnet = false;
};

// Bytes that a forward pass leaves for the backward pass.
std::int64_t kept_bytes(const Encoder& encoder, std::int64_t layers, const Blocks& learning) {
  auto model = make_model(encoder.resnet, layers, learning);
  encoder.encode(model);  // libraries keep what they make at their first use
  at::Tensor features;
  return bytes_left_by([&] { features = encoder.encode(model); });
}

std::size_t graph_nodes(const Encoder& encoder, std::int64_t layers, const Blocks& learning) {
  auto model = make_model(encoder.resnet, layers, learning);
  const auto features = encoder.encode(model);
  std::set<const torch::autograd::Node*> seen;
  std::vector<const torch::autograd::Node*> open;
  const auto visit = [&](const torch::autograd::Node* node) {
    if (node != nullptr && seen.insert(node).second) open.push_back(node);
  };
  visit(features.grad_fn().get());
  while (!open.empty()) {
    const auto* node = open.back();
    open.pop_back();
    for (const auto& edge : node->next_edges()) visit(edge.function.get());
  }
  return seen.size();
}

class FrozenLayers : public ::testing::TestWithParam<Encoder> {};

TEST_P(FrozenLayers, KeepNoActivations) {
  const auto one_of_two = kept_bytes(GetParam(), 2, 1), one_of_eight = kept_bytes(GetParam(), 8, 1);
  EXPECT_EQ(one_of_eight, one_of_two) << "however many lie below";
  EXPECT_GT(one_of_two, 0);
  EXPECT_LT(one_of_eight, kept_bytes(GetParam(), 8, std::nullopt) / 4);
  EXPECT_LT(one_of_eight, kept_bytes(GetParam(), 8, 2));
}

TEST_P(FrozenLayers, HaveNoGraph) {
  EXPECT_EQ(graph_nodes(GetParam(), 8, 1), graph_nodes(GetParam(), 2, 1));
  EXPECT_LT(graph_nodes(GetParam(), 8, 1), graph_nodes(GetParam(), 8, std::nullopt) / 4);
}

TEST_P(FrozenLayers, AFrozenEncoderKeepsItsFeaturesAlone) {
  EXPECT_EQ(graph_nodes(GetParam(), 3, 0), 0u);
  auto model = make_model(GetParam().resnet, 3, 0);
  const auto features = GetParam().encode(model);
  EXPECT_FALSE(features.requires_grad());
  EXPECT_LE(kept_bytes(GetParam(), 3, 0), static_cast<std::int64_t>(features.nbytes()) + 64);
}

// Of a ResNet whose blocks learn in part, the running statistics of the others stay.
TEST(FrozenResNet, GathersStatisticsInWhatLearnsAlone) {
  auto model = make_model(/*resnet=*/true, 1, 1);
  frames_of(model);
  for (const auto& buffer : model->named_buffers()) {
    const auto& name = buffer.key();
    if (!name.ends_with("num_batches_tracked")) continue;
    EXPECT_EQ(buffer.value().item<std::int64_t>(), name.starts_with("visual.layer4.") ? 1 : 0) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Of, FrozenLayers,
                         ::testing::Values(Encoder{"ImageEncoder", frames_of},
                                           Encoder{"TextEncoder", texts_of},
                                           Encoder{"ResNet", frames_of, /*resnet=*/true}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace actionclip
