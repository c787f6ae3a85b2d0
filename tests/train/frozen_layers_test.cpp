// That frozen layers save memory: no graph and no activations are kept below the first layer that learns.

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

// A model with so many blocks in both encoders, of which the last `learning` learn.
ActionClip make_model(std::int64_t layers, const Blocks& learning) {
  auto sizes = small_sizes();
  sizes.vision.layers = layers;
  sizes.text.layers = layers;
  ActionClip model(sizes);
  TrainConfig config;
  config.image_blocks = learning;
  config.text_blocks = learning;
  trainable_groups(model, config, /*fix_text=*/false);
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

using Encode = at::Tensor (*)(ActionClip&);

// Bytes that a forward pass leaves for the backward pass.
std::int64_t kept_bytes(Encode encode, std::int64_t layers, const Blocks& learning) {
  auto model = make_model(layers, learning);
  encode(model);  // libraries keep what they make at their first use
  at::Tensor features;
  return bytes_left_by([&] { features = encode(model); });
}

std::size_t graph_nodes(Encode encode, std::int64_t layers, const Blocks& learning) {
  auto model = make_model(layers, learning);
  const auto features = encode(model);
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

class FrozenLayers : public ::testing::TestWithParam<Encode> {};

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
  auto model = make_model(3, 0);
  const auto features = GetParam()(model);
  EXPECT_FALSE(features.requires_grad());
  EXPECT_LE(kept_bytes(GetParam(), 3, 0), static_cast<std::int64_t>(features.nbytes()) + 64);
}

INSTANTIATE_TEST_SUITE_P(Of, FrozenLayers, ::testing::Values(frames_of, texts_of),
                         [](const auto& info) { return info.index == 0 ? "ImageEncoder" : "TextEncoder"; });

}  // namespace
}  // namespace actionclip
