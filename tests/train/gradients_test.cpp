#include "actionclip/train/gradients.h"

#include <cmath>
#include <limits>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"
#include "actionclip/train/grad_scaler.h"

namespace actionclip {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::vector<at::Tensor> three_four_twelve() { return {at::tensor({3.0f, 4.0f}), at::full({1, 1}, 12.0f)}; }

TEST(GradientNorm, IsTheNormOfAllElementsTogether) {
  EXPECT_FLOAT_EQ(static_cast<float>(gradient_norm(three_four_twelve())), 13);
  EXPECT_EQ(gradient_norm({}), 0);
}

TEST(ClipGradients, ScalesDownToTheLimitAndReportsTheNormBefore) {
  const auto gradients = three_four_twelve();
  EXPECT_NEAR(clip_gradients(gradients, 6.5), 13, 1e-6);
  EXPECT_TRUE(at::allclose(gradients[0], at::tensor({1.5f, 2.0f})));
  EXPECT_NEAR(gradient_norm(gradients), 6.5, 1e-6);
}

TEST(ClipGradients, LeavesASmallGradientAsItIs) {
  const auto gradients = three_four_twelve();
  clip_gradients(gradients, 13.5);
  EXPECT_TRUE(at::equal(gradients[0], at::tensor({3.0f, 4.0f})));
}

TEST(ClipGradients, LeavesGradientsThatAreNotFiniteToTheCaller) {
  const std::vector<at::Tensor> gradients = {at::tensor({1.0f, kInfinity})};
  EXPECT_FALSE(std::isfinite(clip_gradients(gradients, 1)));
  EXPECT_EQ(gradients[0][0].item<float>(), 1);
}

GradScaler small_scaler() { return GradScaler(at::kCPU, {.initial_scale = 8, .growth_interval = 2}); }

TEST(GradScaler, TheGradientsOfAScaledLossAreUnscaledExactly) {
  auto scaler = small_scaler();
  auto weight = at::tensor({0.1f, 0.2f}).requires_grad_(true);
  const auto loss = (weight * weight).sum();
  EXPECT_EQ(scaler.scale(loss).item<float>(), loss.item<float>() * 8);
  scaler.scale(loss).backward();
  EXPECT_TRUE(at::equal(weight.grad(), weight.detach() * 16));
  EXPECT_TRUE(scaler.unscale({weight.grad()}));
  EXPECT_TRUE(at::equal(weight.grad(), weight.detach() * 2));
}

TEST(GradScaler, ShrinksAfterABadStepAndGrowsAfterAnIntervalOfGoodOnes) {
  auto scaler = small_scaler();
  EXPECT_FALSE(scaler.unscale({at::tensor({kInfinity})}));
  scaler.update();
  EXPECT_EQ(scaler.current_scale(), 4);
  for (const double expected : {4, 8, 8, 16}) {
    EXPECT_TRUE(scaler.unscale({at::ones({2})}));
    scaler.update();
    EXPECT_EQ(scaler.current_scale(), expected);
  }
}

// So that a model whose gradients always overflow is told from a scale that is still to be found.
TEST(GradScaler, IsExhaustedOnceTheScaleIsBelowTheFloor) {
  auto scaler = small_scaler();
  for (const double expected : {4, 2, 1}) {
    scaler.unscale({at::tensor({kInfinity})});
    scaler.update();
    EXPECT_EQ(scaler.current_scale(), expected);
    EXPECT_FALSE(scaler.exhausted());
  }
  scaler.unscale({at::tensor({kInfinity})});
  scaler.update();
  EXPECT_TRUE(scaler.exhausted());
}

TEST(GradScaler, ABadStepStartsTheIntervalAnew) {
  auto scaler = small_scaler();
  for (const float gradient : {1.0f, kInfinity, 1.0f}) {
    scaler.unscale({at::tensor({gradient})});
    scaler.update();
  }
  EXPECT_EQ(scaler.current_scale(), 4);
}

TEST(GradScaler, GoesOnFromALoadedState) {
  auto first = small_scaler();
  first.unscale({at::ones({1})});
  first.update();
  auto second = GradScaler(at::kCPU, {.initial_scale = 1, .growth_interval = 2});
  second.load_state(nlohmann::json::parse(first.state().dump()));
  second.unscale({at::ones({1})});
  second.update();
  EXPECT_EQ(second.current_scale(), 16);
}

TEST(GradScaler, RefusesAStateThatIsNone) {
  auto scaler = small_scaler();
  EXPECT_THROW(scaler.load_state({{"scale", 2}}), Error);
  EXPECT_THROW(scaler.load_state({{"scale", 0}, {"growth_tracker", 1}}), Error);
  EXPECT_THROW(scaler.load_state({{"scale", "2"}, {"growth_tracker", 1}}), Error);
  EXPECT_EQ(scaler.current_scale(), 8);
}

TEST(GradScaler, RefusesToUnscaleTwiceInAStep) {
  auto scaler = small_scaler();
  EXPECT_THROW(scaler.update(), std::logic_error);
  scaler.unscale({at::ones({1})});
  EXPECT_THROW(scaler.unscale({at::ones({1})}), std::logic_error);
}

}  // namespace
}  // namespace actionclip
