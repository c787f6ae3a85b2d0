// What of the attention maps needs no reference.
#include "model/attention_rollout.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "actionclip/model/image_encoder.h"
#include "actionclip/model/modified_resnet.h"

#include "model/temporal_shift.h"
#include "tests/weights/small_model.h"

namespace actionclip {
namespace {

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

// [N, heads, L, L] and values [N, L, width], as MultiheadAttention splits them -> [N, L, width].
at::Tensor mix(const at::Tensor& weights, const at::Tensor& values) {
  const auto split = values.unflatten(2, {weights.size(1), -1}).transpose(1, 2);
  return at::matmul(weights, split).transpose(1, 2).reshape(values.sizes());
}

TEST(AttentionWeights, MixTheValuesToWhatTheAttentionGives) {
  const at::NoGradGuard no_grad;
  at::manual_seed(31);
  const TransformerOptions options{.width = 48, .heads = 6};
  MultiheadAttention attention(options);
  attention->in_proj_bias.normal_();
  const auto x = at::randn({3, 7, 48});
  const auto weights = attention_weights(*attention, x);
  ASSERT_EQ(weights.sizes(), (std::vector<std::int64_t>{3, 6, 7, 7}));
  EXPECT_LT(largest_difference(weights.sum(-1), at::ones({3, 6, 7})), 1e-5);
  const auto values =
      at::linear(x, attention->in_proj_weight.narrow(0, 96, 48), attention->in_proj_bias.narrow(0, 96, 48));
  const auto mixed = at::linear(mix(weights, values), attention->out_proj->weight, attention->out_proj->bias);
  EXPECT_LT(largest_difference(mixed, attention(x)), 1e-5);
}

TEST(AttentionWeights, OfAPoolMixTheValuesToWhatThePoolGives) {
  const at::NoGradGuard no_grad;
  at::manual_seed(32);
  AttentionPool pool(3, 32, 4, 10);
  const auto x = at::randn({2, 32, 3, 3});
  const auto weights = pool->weights(x);
  ASSERT_EQ(weights.sizes(), (std::vector<std::int64_t>{2, 4, 1, 10}));
  const auto places = x.flatten(2).transpose(1, 2);
  const auto tokens = at::cat({places.mean(1, true), places}, 1) + pool->positional_embedding;
  const auto values = pool->v_proj(tokens).unflatten(2, {4, 8}).transpose(1, 2);
  const auto pooled = pool->c_proj(at::matmul(weights, values).transpose(1, 2).reshape({2, 32}));
  EXPECT_LT(largest_difference(pooled, pool(x)), 1e-5);
}

TEST(AttentionRollout, SharesOfAClassTokenSumToOneAndWithoutBlocksAreItsOwn) {
  const at::NoGradGuard no_grad;
  at::manual_seed(33);
  TransformerOptions options{.width = 32, .layers = 3, .heads = 2};
  const auto x = at::randn({4, 6, 32});
  Transformer transformer(options);
  transformer->eval();
  const auto shares = attention_rollout(*transformer, x);
  EXPECT_LT(largest_difference(shares.sum(1), at::ones({4})), 1e-5);
  EXPECT_GT(shares.min().item<double>(), 0);
  options.layers = 0;
  const auto own = attention_rollout(*Transformer(options), x);
  EXPECT_TRUE(at::equal(own.select(1, 0), at::ones({4})));
  EXPECT_EQ(own.sum().item<double>(), 4);
}

TEST(AttentionRollout, WhatTheShiftTookFromAFrameGoesBackToIt) {
  auto shares = at::zeros({3, 2});  // of a class token and a patch in three frames
  shares[1][1] = 1;
  shares[2][0] = 0.5;
  const auto before = shares_before_shift(shares, 3, 64);
  EXPECT_NEAR(before[1][1].item<double>(), 0.75, 1e-6);
  EXPECT_NEAR(before[0][1].item<double>(), 0.125, 1e-6);
  EXPECT_NEAR(before[2][1].item<double>(), 0.125, 1e-6);
  EXPECT_EQ(before[2][0].item<double>(), 0.5) << "class tokens stay";
  auto at_the_edge = at::zeros({3, 2});
  at_the_edge[0][1] = 1;
  const auto inward = shares_before_shift(at_the_edge, 3, 64);
  EXPECT_NEAR(inward[0][1].item<double>(), 6. / 7, 1e-6) << "an eighth of the channels is zeros";
  EXPECT_NEAR(inward[1][1].item<double>(), 1. / 7, 1e-6);
}

TEST(AttentionMaps, ChangeNeitherTheFeaturesNorTheGraph) {
  at::manual_seed(34);
  for (const bool is_resnet : {false, true}) {
    VisionConfig config = small_sizes().vision;
    if (is_resnet)
      config = {.image_size = 64, .width = 8, .heads = 4, .output_dim = 64, .stages = {1, 1, 1, 1}};
    const auto encoder = make_image_encoder(config);
    encoder->eval();
    const auto images = at::randn({2, 3, config.image_size, config.image_size});
    const auto before = encoder->forward(images, 1);
    const auto maps = encoder->attention_maps(images, 1);
    EXPECT_EQ(maps.sizes(), (std::vector<std::int64_t>{2, 2, 2}));
    EXPECT_FALSE(maps.requires_grad());
    EXPECT_LE(maps.sum({1, 2}).max().item<double>(), 1 + 1e-5);
    EXPECT_GE(maps.min().item<double>(), 0);
    EXPECT_TRUE(at::equal(encoder->forward(images, 1), before));
    EXPECT_FALSE(encoder->attention_method().empty());
  }
}

}  // namespace
}  // namespace actionclip
