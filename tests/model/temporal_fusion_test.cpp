#include "actionclip/model/temporal_fusion.h"

#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <c10/util/Exception.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/model/autocast.h"

namespace actionclip {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kWidth = 32, kFrames = 4;

constexpr FusionType kHeads[] = {FusionType::meanP, FusionType::Conv_1D, FusionType::LSTM, FusionType::Transf,
                                 FusionType::Transf_cls};

TemporalFusionConfig config_of(FusionType type) {
  return {.type = type, .width = kWidth, .layers = 2, .heads = 2, .frames = kFrames};
}

std::shared_ptr<TemporalFusion> make_head(FusionType type) {
  at::manual_seed(11);
  return make_temporal_fusion(config_of(type));
}

at::Tensor random_frames(std::int64_t frames = kFrames) {
  at::manual_seed(12);
  return at::randn({3, frames, kWidth});
}

using Shapes = std::map<std::string, std::vector<std::int64_t>>;

Shapes shapes_of(FusionType type) {
  Shapes shapes;
  for (const auto& parameter : make_head(type)->named_parameters())
    shapes[parameter.key()] = parameter.value().sizes().vec();
  return shapes;
}

std::string error_of(TemporalFusion& head, const at::Tensor& frames) {
  try {
    head.forward(frames);
  } catch (const c10::Error& error) {
    return error.what_without_backtrace();
  }
  return "no error";
}

TEST(TemporalFusion, ParametersHaveThePublishedNames) {
  EXPECT_EQ(shapes_of(FusionType::meanP), Shapes());
  EXPECT_EQ(shapes_of(FusionType::Conv_1D), (Shapes{{"shift.weight", {kWidth, 1, 3}}}));
  EXPECT_EQ(shapes_of(FusionType::LSTM), (Shapes{{"lstm_visual.weight_ih_l0", {4 * kWidth, kWidth}},
                                                 {"lstm_visual.weight_hh_l0", {4 * kWidth, kWidth}},
                                                 {"lstm_visual.bias_ih_l0", {4 * kWidth}},
                                                 {"lstm_visual.bias_hh_l0", {4 * kWidth}}}));
  const auto transformer = shapes_of(FusionType::Transf_cls);
  EXPECT_EQ(transformer.size(), 2 + 2 * 12 + 2U);
  EXPECT_EQ(transformer.at("transformer.cls_token"), (std::vector<std::int64_t>{1, 1, kWidth}));
  EXPECT_EQ(transformer.at("transformer.pos_embed"), (std::vector<std::int64_t>{1, kFrames + 1, kWidth}));
}

TEST(TemporalFusion, EveryHeadGivesOneVectorAVideoOfTheInputsType) {
  for (const auto type : kHeads) {
    SCOPED_TRACE(static_cast<int>(type));
    const auto head = make_head(type);
    const auto fused = head->forward(random_frames());
    EXPECT_EQ(fused.sizes(), (std::vector<std::int64_t>{3, kWidth}));
    EXPECT_EQ(fused.scalar_type(), at::kFloat);
  }
}

// Half the precision, and all the gradients, in the frame features' own type as the image encoder gives them.
TEST(TemporalFusion, EveryHeadLearnsInBf16) {
  for (const auto type : kHeads) {
    SCOPED_TRACE(static_cast<int>(type));
    const auto head = make_head(type);
    head->eval();
    const auto expected = head->forward(random_frames());
    const auto frames = random_frames().to(at::kBFloat16).requires_grad_();
    at::Tensor fused;
    {
      const Autocast autocast(at::kCPU, Precision::bf16);
      fused = head->forward(frames);
    }
    EXPECT_EQ(fused.scalar_type(), at::kBFloat16);
    EXPECT_LT((fused.to(at::kFloat) - expected).abs().max().item<double>(),
              0.03 * expected.abs().max().item<double>());
    fused.to(at::kFloat).pow(2).sum().backward();
    EXPECT_TRUE(frames.grad().defined());
    for (const auto& parameter : head->named_parameters()) {
      ASSERT_TRUE(parameter.value().grad().defined()) << parameter.key();
      EXPECT_EQ(parameter.value().grad().scalar_type(), at::kFloat) << parameter.key();
      EXPECT_TRUE(at::isfinite(parameter.value().grad()).all().item<bool>()) << parameter.key();
    }
  }
}

TEST(ConvFusion, StartsAsATemporalShift) {
  const auto head = make_head(FusionType::Conv_1D);
  const auto frames = random_frames();
  const std::int64_t quarter = kWidth / 4;
  auto shifted = frames.clone();
  shifted.narrow(2, 0, quarter).zero_();
  shifted.narrow(2, 0, quarter).slice(1, 1).copy_(frames.narrow(2, 0, quarter).slice(1, 0, kFrames - 1));
  shifted.narrow(2, 3 * quarter, quarter).zero_();
  shifted.narrow(2, 3 * quarter, quarter)
      .slice(1, 0, kFrames - 1)
      .copy_(frames.narrow(2, 3 * quarter, quarter).slice(1, 1));
  EXPECT_TRUE(at::allclose(head->forward(frames), (shifted + frames).mean(1), 1e-5, 1e-6));
}

// Whatever the width, no channel is lost.
TEST(ConvFusion, StartsWithOneTapForEveryChannel) {
  for (const std::int64_t width : {1, 2, 6, 7}) {
    const auto head = make_temporal_fusion({.type = FusionType::Conv_1D, .width = width});
    EXPECT_TRUE(at::equal(head->named_parameters()["shift.weight"].sum(2), at::ones({width, 1}))) << width;
  }
}

TEST(ConvFusion, TakesAnyNumberOfFrames) {
  EXPECT_EQ(make_head(FusionType::Conv_1D)->forward(random_frames(1)).size(1), kWidth);
  EXPECT_EQ(make_head(FusionType::Conv_1D)->forward(random_frames(9)).size(1), kWidth);
}

TEST(LstmFusion, ComputesInFp32WhateverTheScope) {
  const auto head = make_head(FusionType::LSTM);
  const auto expected = head->forward(random_frames());
  const Autocast autocast(at::kCPU, Precision::bf16);
  EXPECT_TRUE(at::equal(head->forward(random_frames()), expected));
  EXPECT_EQ(current_precision(at::kCPU), Precision::bf16);
}

TEST(LstmFusion, StartsAsTorchsOwn) {
  const double bound = 1 / std::sqrt(static_cast<double>(kWidth));
  for (const auto& parameter : make_head(FusionType::LSTM)->named_parameters()) {
    EXPECT_LE(parameter.value().abs().max().item<double>(), bound) << parameter.key();
    EXPECT_NEAR(parameter.value().std().item<double>(), bound / std::sqrt(3.0), 0.1 * bound)
        << parameter.key();
  }
}

// Standard deviation of the frame positions of a fresh head.
double position_deviation(const TemporalFusionConfig& config) {
  at::manual_seed(11);
  const auto head = make_temporal_fusion(config);
  return head->named_parameters()["frame_position_embeddings.weight"].std().item<double>();
}

TEST(TransformerFusion, PositionsStartWithTheDeviationThatIsSet) {
  TemporalFusionConfig config{.width = 64, .layers = 1, .heads = 1};
  EXPECT_NEAR(position_deviation(config), 0.02, 0.002);
  config.position_std = 0.5;
  EXPECT_NEAR(position_deviation(config), 0.5, 0.05);
}

TEST(TransformerFusion, HasAsManyPositionsAsAreSetAndTakesNoMoreFrames) {
  auto config = config_of(FusionType::Transf);
  config.positions = kFrames;
  const auto head = make_temporal_fusion(config);
  EXPECT_EQ(head->named_parameters()["frame_position_embeddings.weight"].size(0), kFrames);
  EXPECT_EQ(head->forward(random_frames(kFrames - 1)).size(0), 3);
  EXPECT_THAT(error_of(*head, random_frames(kFrames + 1)),
              HasSubstr("the Transf head has positions for up to 4 frames, 5 given"));
}

// On rows whose values differ by about the square root of the eps, that of the layer norms shows.
TEST(TransformerFusion, UsesTheEpsThatIsSet) {
  auto config = config_of(FusionType::Transf);
  const auto fuse = [&](double eps) {
    at::manual_seed(11);
    config.layer_norm_eps = eps;
    config.position_std = 1e-4;
    return make_temporal_fusion(config)->forward(1e-3 * random_frames());
  };
  EXPECT_TRUE(at::equal(fuse(1e-12), fuse(1e-12)));
  EXPECT_FALSE(at::allclose(fuse(1e-12), fuse(1e-5), 1e-2, 0));
}

TEST(ClassTokenFusion, TakesTheFramesThatItWasMadeForOnly) {
  const auto head = make_head(FusionType::Transf_cls);
  for (const std::int64_t frames : {kFrames - 1, kFrames + 1}) {
    EXPECT_THAT(error_of(*head, random_frames(frames)),
                HasSubstr("the Transf_cls head was made for 4 frames a video, " + std::to_string(frames)));
  }
}

TEST(ClassTokenFusion, DropsOutInTrainingOnlyByTheDefaultGenerator) {
  const auto head = make_head(FusionType::Transf_cls);
  const auto fuse = [&](std::uint64_t seed) {
    at::manual_seed(seed);
    return head->forward(at::ones({1, kFrames, kWidth}));
  };
  head->train();
  EXPECT_TRUE(at::equal(fuse(1), fuse(1)));
  EXPECT_FALSE(at::allclose(fuse(1), fuse(2)));
  head->eval();
  EXPECT_TRUE(at::equal(fuse(1), fuse(2)));
}

TEST(ClassTokenFusion, StartsAsThePublishedHead) {
  for (const auto& parameter : make_head(FusionType::Transf_cls)->named_parameters()) {
    const auto& name = parameter.key();
    const double deviation = parameter.value().std().item<double>();
    SCOPED_TRACE(name);
    if (name.find("norm") != std::string::npos) {
      EXPECT_TRUE(at::equal(parameter.value(), at::full_like(parameter.value(), name.ends_with("weight"))));
    } else if (name.ends_with("bias")) {
      EXPECT_EQ(parameter.value().abs().max().item<double>(), 0);
    } else if (name.ends_with("in_proj_weight")) {  // Xavier's, of 4 widths in all
      EXPECT_LE(parameter.value().abs().max().item<double>(), std::sqrt(6.0 / (4 * kWidth)));
      EXPECT_GT(deviation, 0.05);
    } else {
      EXPECT_NEAR(deviation, 0.02, 0.008);
    }
  }
}

}  // namespace
}  // namespace actionclip
