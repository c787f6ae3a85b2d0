#include "model/drop_path.h"

#include <vector>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/model/transformer.h"

namespace actionclip {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

std::vector<double> rates(double of_last, std::int64_t layers) {
  Transformer transformer(TransformerOptions{.width = 8, .layers = layers, .heads = 1, .drop_path = of_last});
  std::vector<double> result;
  for (const auto& block : *transformer->resblocks)
    result.push_back(block->as<ResidualAttentionBlock>()->drop_path());
  return result;
}

TEST(DropPath, RatesGrowLinearlyFromNothingAtTheFirstBlockToThatOfTheLast) {
  EXPECT_THAT(rates(0.3, 4),
              ElementsAre(0, DoubleNear(0.1, 1e-9), DoubleNear(0.2, 1e-9), DoubleNear(0.3, 1e-9)));
  EXPECT_THAT(rates(0.3, 1), ElementsAre(0));
  EXPECT_THAT(rates(0, 2), ElementsAre(0, 0));
}

TEST(DropPath, SamplesAreLeftOutWholeAndTheOthersScaledSoThatTheMeanStays) {
  at::manual_seed(1);
  constexpr std::int64_t kSamples = 20000;
  const auto dropped = drop_path(at::ones({kSamples, 2, 3}), 0.25);
  const auto of_sample = dropped.select(1, 0).select(1, 0);
  EXPECT_TRUE(at::equal(dropped, of_sample.view({kSamples, 1, 1}).expand({kSamples, 2, 3})));
  const auto left_out = of_sample == 0;
  EXPECT_TRUE(at::allclose(of_sample.masked_select(left_out.logical_not()), at::tensor(4.0f / 3)));
  // Four standard deviations of the share of so many draws.
  EXPECT_NEAR(left_out.to(at::kDouble).mean().item<double>(), 0.25, 0.0125);
  EXPECT_NEAR(of_sample.mean().item<double>(), 1, 0.0165);
}

class DropPathInABlock : public ::testing::Test {
 protected:
  DropPathInABlock() { at::manual_seed(2); }

  static constexpr TransformerOptions kOptions = {.width = 16, .heads = 2};
  ResidualAttentionBlock block_{kOptions, 0.5};
  at::Tensor x_ = at::randn({400, 3, 16});
};

// Of the samples a quarter keeps neither branch, a quarter each one of them, and a quarter both.
TEST_F(DropPathInABlock, TrainingLeavesOutEachOfTheTwoBranches) {
  const at::NoGradGuard no_grad;
  const auto positions = at::zeros({400}, at::kLong);
  for (const auto& y : {block_->forward(x_).select(1, 0), block_->forward_at(x_, positions).squeeze(1)}) {
    const auto start = x_.select(1, 0);
    const auto attended = start + 2 * block_->attn->forward(block_->ln_1(x_)).select(1, 0);
    const auto same = [&](const at::Tensor& candidate) { return (y - candidate).abs().amax(1) < 1e-4; };
    const auto after_mlp = [&](const at::Tensor& input) {
      return input + 2 * block_->mlp->forward(block_->ln_2(input));
    };
    std::int64_t samples = 0;
    for (const auto& outcome : {start, attended, after_mlp(start), after_mlp(attended)}) {
      const auto count = same(outcome).sum().item<std::int64_t>();
      EXPECT_NEAR(static_cast<double>(count), 100, 40);
      samples += count;
    }
    EXPECT_EQ(samples, 400);
  }
}

TEST_F(DropPathInABlock, EvaluationLeavesNothingOut) {
  const at::NoGradGuard no_grad;
  block_->eval();
  EXPECT_FALSE(block_->draws());
  const auto attended = x_ + block_->attn->forward(block_->ln_1(x_));
  EXPECT_TRUE(
      at::allclose(block_->forward(x_), attended + block_->mlp->forward(block_->ln_2(attended)), 1e-4, 1e-5));
}

}  // namespace
}  // namespace actionclip
