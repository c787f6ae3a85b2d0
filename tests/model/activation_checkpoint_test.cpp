#include "model/activation_checkpoint.h"

#include <optional>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "actionclip/model/autocast.h"
#include "actionclip/model/transformer.h"

namespace actionclip {
namespace {

constexpr TransformerOptions kOptions = {.width = 64, .layers = 3, .heads = 2, .causal = true};

// The gradients of a transformer's input (none if it needs none) and parameters.
std::vector<at::Tensor> gradients(Transformer& transformer, const at::Tensor& input, bool checkpointed,
                                  Precision precision) {
  set_activation_checkpointing(*transformer, checkpointed);
  transformer->zero_grad();
  const auto x = input.detach().requires_grad_(input.requires_grad());
  at::Tensor output;
  {
    const Autocast autocast(at::kCPU, precision);
    output = transformer->forward_at(x, at::tensor({4, 0}, at::kLong));
  }
  output.pow(2).sum().backward();
  std::vector<at::Tensor> result = {x.grad()};
  for (const auto& parameter : transformer->parameters())
    result.push_back(parameter.grad().defined() ? parameter.grad().clone() : at::Tensor());
  return result;
}

void expect_equal(const std::vector<at::Tensor>& actual, const std::vector<at::Tensor>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_EQ(actual[i].defined(), expected[i].defined()) << i;
    if (!expected[i].defined()) continue;
    EXPECT_TRUE(at::equal(actual[i], expected[i])) << i;
  }
}

class ActivationCheckpoint : public testing::TestWithParam<Precision> {
 protected:
  ActivationCheckpoint() { at::manual_seed(1); }

  void expect_same_gradients(bool input_learns) {
    const auto x = at::randn({2, 5, 64}).requires_grad_(input_learns);
    expect_equal(gradients(transformer_, x, true, GetParam()), gradients(transformer_, x, false, GetParam()));
  }

  Transformer transformer_{kOptions};
};

TEST_P(ActivationCheckpoint, GivesTheGradientsOfThePlainPass) { expect_same_gradients(true); }

TEST_P(ActivationCheckpoint, GivesThemWhereTheInputNeedsNone) { expect_same_gradients(false); }

TEST_P(ActivationCheckpoint, GivesThemThroughFrozenBlocks) {
  for (auto& parameter : transformer_->resblocks[1]->parameters()) parameter.set_requires_grad(false);
  expect_same_gradients(true);
}

// Of the numbers that a block draws, the backward pass must see the same again, and whoever draws next must
// not notice.
TEST_P(ActivationCheckpoint, GivesThemWhereBlocksAreLeftOutAtRandom) {
  auto options = kOptions;
  options.drop_path = 0.5;
  Transformer transformer(options);
  const auto x = at::randn({2, 5, 64}).requires_grad_();
  const auto with_seed = [&](std::uint64_t seed, bool checkpointed) {
    at::manual_seed(seed);
    auto result = gradients(transformer, x, checkpointed, GetParam());
    result.push_back(at::rand({4}));
    return result;
  };
  const auto expected = with_seed(7, false);
  expect_equal(with_seed(7, true), expected);
  EXPECT_FALSE(at::equal(with_seed(8, false)[0], expected[0])) << "nothing was drawn";
}

INSTANTIATE_TEST_SUITE_P(Each, ActivationCheckpoint, testing::Values(Precision::fp32, Precision::bf16),
                         [](const auto& info) { return info.param == Precision::fp32 ? "fp32" : "bf16"; });

TEST(RunCheckpointed, ComputesTheBlockAgainForTheBackwardPassAlone) {
  int calls = 0;
  const Block block = [&](const at::Tensor& x) {
    ++calls;
    return x.exp();
  };
  const auto x = at::ones({2}).requires_grad_();
  const auto y = run_checkpointed(block, {}, x);
  EXPECT_EQ(calls, 1);
  y.sum().backward();
  EXPECT_EQ(calls, 2);
  EXPECT_TRUE(at::allclose(x.grad(), x.exp()));
}

TEST(RunCheckpointed, DrawsTheSameNumbersAgainAndGoesOnBehindThem) {
  const Block block = [](const at::Tensor& x) { return x * at::rand_like(x); };
  const auto x = at::full({100}, 2.0f).requires_grad_();
  at::manual_seed(3);
  const auto y = run_checkpointed(block, {}, x, /*draws=*/true);
  const auto next = at::rand({3});
  at::manual_seed(4);
  y.sum().backward();
  EXPECT_TRUE(at::allclose(x.grad(), y / 2));
  const auto undisturbed = at::rand({3});
  at::manual_seed(4);
  EXPECT_TRUE(at::equal(undisturbed, at::rand({3})));
  EXPECT_FALSE(at::equal(undisturbed, next));
}

TEST(RunCheckpointed, BuildsNoGraphWhereNothingLearns) {
  const Block block = [](const at::Tensor& x) { return x.exp(); };
  EXPECT_FALSE(run_checkpointed(block, {}, at::ones({2})).requires_grad());
  const at::NoGradGuard no_grad;
  EXPECT_FALSE(run_checkpointed(block, {}, at::ones({2}).requires_grad_()).requires_grad());
}

// What it is for: nothing inside the block is kept from the forward to the backward pass.
TEST(RunCheckpointed, KeepsTheInputAlone) {
  using Weak = c10::weak_intrusive_ptr<at::TensorImpl, c10::UndefinedTensorImpl>;
  std::optional<Weak> inner;
  const Block block = [&](const at::Tensor& x) {
    const auto kept_by_plain_autograd = x.exp();
    inner.emplace(kept_by_plain_autograd.getIntrusivePtr());
    return kept_by_plain_autograd.sin();
  };
  const auto x = at::ones({2}).requires_grad_();
  const auto plain = block(x);
  EXPECT_FALSE(inner->expired());
  const auto checkpointed = run_checkpointed(block, {}, x);
  EXPECT_TRUE(inner->expired());
}

}  // namespace
}  // namespace actionclip
