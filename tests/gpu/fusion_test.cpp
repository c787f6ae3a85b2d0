// The fusion heads on a GPU against the CPU.

#include <memory>

#include <gtest/gtest.h>

#include "actionclip/model/autocast.h"
#include "actionclip/model/temporal_fusion.h"

#include "tests/gpu/gpu_test.h"
#include "tests/parity/reference_files.h"

namespace actionclip {
namespace {

class FusionOnGpu : public GpuTest, public ::testing::WithParamInterface<FusionType> {
 protected:
  // The same weights each time, without dropout.
  static std::shared_ptr<TemporalFusion> make_head(c10::Device device) {
    at::manual_seed(3);
    auto head =
        make_temporal_fusion({.type = GetParam(), .width = 128, .layers = 2, .heads = 2, .frames = 8});
    head->eval();
    // cuDNN has no backward pass of an LSTM in evaluation mode. This one has no dropout.
    if (GetParam() == FusionType::LSTM) head->train();
    head->to(device);
    return head;
  }

  static at::Tensor frames() {
    at::manual_seed(4);
    return at::randn({6, 8, 128});
  }
};

TEST_P(FusionOnGpu, GivesValuesAndGradientsOfTheCpu) {
  const auto on_cpu = make_head(at::kCPU), on_gpu = make_head(kGpu);
  const auto expected = on_cpu->forward(frames()), fused = on_gpu->forward(frames().to(kGpu));
  EXPECT_LT(relative_error(fused.cpu(), expected), 1e-4);
  if (on_cpu->parameters().empty()) return;
  // Of weights at random, since the sum of squares behind a layer norm is the same whatever goes in.
  const auto weights = at::randn(expected.sizes());
  (expected * weights).sum().backward();
  (fused * weights.to(kGpu)).sum().backward();
  const auto gradients = on_gpu->named_parameters();
  for (const auto& parameter : on_cpu->named_parameters()) {
    if (parameter.key().ends_with("in_proj_bias")) continue;  // the key bias's gradient is rounding
    EXPECT_LT(relative_error(gradients[parameter.key()].grad().cpu(), parameter.value().grad()), 1e-3)
        << parameter.key();
  }
}

TEST_P(FusionOnGpu, LearnsInHalfPrecision) {
  const auto expected = make_head(at::kCPU)->forward(frames());
  for (const auto precision : {Precision::bf16, Precision::fp16}) {
    const auto head = make_head(kGpu);
    head->train();
    const auto input =
        frames().to(kGpu).to(precision == Precision::bf16 ? at::kBFloat16 : at::kHalf).requires_grad_();
    at::Tensor fused, trained;
    {
      const Autocast autocast(at::kCUDA, precision);
      trained = head->forward(input);
      head->eval();
      fused = head->forward(input);
    }
    EXPECT_LT(relative_error(fused.to(at::kFloat).cpu(), expected), 0.03);
    trained.to(at::kFloat).pow(2).sum().backward();
    EXPECT_TRUE(at::isfinite(input.grad()).all().item<bool>());
    for (const auto& parameter : head->named_parameters())
      EXPECT_TRUE(at::isfinite(parameter.value().grad()).all().item<bool>()) << parameter.key();
  }
}

INSTANTIATE_TEST_SUITE_P(Each, FusionOnGpu,
                         ::testing::Values(FusionType::meanP, FusionType::Conv_1D, FusionType::LSTM,
                                           FusionType::Transf, FusionType::Transf_cls),
                         [](const auto& info) {
                           return std::string(boost::describe::enum_to_string(info.param, ""));
                         });

}  // namespace
}  // namespace actionclip
