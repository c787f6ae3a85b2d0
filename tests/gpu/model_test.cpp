// The model and the loss on a GPU against the CPU.

#include <cmath>
#include <map>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "actionclip/model/autocast.h"
#include "actionclip/model/transformer.h"
#include "actionclip/train/loss.h"

#include "tests/gpu/gpu_test.h"
#include "tests/parity/reference_files.h"

namespace actionclip {
namespace {

constexpr double kTolerance = 1e-4;

class ModelOnGpu : public GpuTest {};

// By name, on the CPU.
using NamedValues = std::map<std::string, at::Tensor>;

NamedValues features_on(c10::Device device, Precision precision = Precision::fp32) {
  const at::NoGradGuard no_grad;
  auto model = make_small_model();
  model->to(device);
  const auto batch = make_batch();
  const Autocast autocast(device.type(), precision);
  return {{"frames", model->encode_frames(batch.clips).to(at::kFloat).cpu()},
          {"videos", model->encode_video(batch.clips).to(at::kFloat).cpu()},
          {"texts", model->encode_text(batch.tokens).to(at::kFloat).cpu()}};
}

// The loss and the gradients of all parameters.
NamedValues gradients_on(c10::Device device, LossTarget target) {
  auto model = make_small_model();
  model->to(device);
  const auto batch = make_batch();
  SingleProcess alone;
  const auto loss = contrastive_loss(model->encode_video(batch.clips), model->encode_text(batch.tokens),
                                     model->logit_scale, batch.label_ids.to(device), target, alone);
  loss.backward();
  NamedValues values = {{"loss", loss.detach().cpu()}};
  for (const auto& parameter : model->named_parameters())
    values[parameter.key()] = parameter.value().grad().cpu();
  return values;
}

// Without the gradient of the key bias, which has no effect on attention: rounding alone.
at::Tensor comparable(const std::string& name, const at::Tensor& gradient) {
  if (!name.ends_with("attn.in_proj_bias")) return gradient;
  const auto parts = gradient.chunk(3);
  return at::cat({parts[0], parts[2]});
}

TEST_F(ModelOnGpu, EncodersAndFusionEqualTheCpus) {
  const auto expected = features_on(c10::kCPU);
  for (const auto& [name, values] : features_on(kGpu))
    EXPECT_LT(relative_error(values, expected.at(name)), kTolerance) << name;
}

TEST_F(ModelOnGpu, LossAndGradientsEqualTheCpus) {
  for (const auto target : {LossTarget::softmax, LossTarget::normalized, LossTarget::identity}) {
    const auto expected = gradients_on(c10::kCPU, target);
    for (const auto& [name, values] : gradients_on(kGpu, target)) {
      EXPECT_LT(relative_error(comparable(name, values), comparable(name, expected.at(name))), kTolerance)
          << name;
    }
  }
}

// A block that is left out at random draws from the GPU's generator; the backward pass must see the same
// again.
TEST_F(ModelOnGpu, CheckpointedBlocksDrawTheSameNumbersAgain) {
  at::manual_seed(5);
  Transformer transformer(
      TransformerOptions{.width = 64, .layers = 3, .heads = 2, .causal = true, .drop_path = 0.5});
  transformer->to(kGpu);
  const auto x = at::randn({16, 5, 64}, kGpu);
  const auto gradient = [&](bool checkpointed) {
    set_activation_checkpointing(*transformer, checkpointed);
    transformer->zero_grad();
    at::manual_seed(6);
    transformer->forward(x).pow(2).sum().backward();
    const auto next = at::rand({4}, kGpu);
    return std::pair(transformer->resblocks[0]->parameters()[0].grad().cpu(), next.cpu());
  };
  const auto [expected, next] = gradient(false);
  const auto [again, next_again] = gradient(true);
  EXPECT_LT(relative_error(again, expected), kTolerance);
  EXPECT_TRUE(at::equal(next_again, next));
}

// A value passes some dozens of roundings, whose errors partly cancel: 16 times the largest error of one.
TEST_F(ModelOnGpu, LowPrecisionIsNearFp32) {
  const auto expected = features_on(kGpu);
  const auto expect_rounded = [&](Precision precision, double rounding) {
    for (const auto& [name, values] : features_on(kGpu, precision)) {
      const double error = relative_error(values, expected.at(name));
      EXPECT_LT(error, 16 * rounding) << name;
      EXPECT_GT(error, rounding / 100) << name << ": computed in fp32?";
    }
  };
  expect_rounded(Precision::bf16, std::ldexp(1, -9));
  expect_rounded(Precision::fp16, std::ldexp(1, -12));
}

}  // namespace
}  // namespace actionclip
