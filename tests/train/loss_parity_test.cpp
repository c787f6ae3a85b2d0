// The Transf head and the loss, values and gradients, against an independent PyTorch implementation.

#include <gtest/gtest.h>
#include <torch/nn/modules/container/any.h>

#include "actionclip/model/temporal_fusion.h"
#include "actionclip/train/loss.h"

#include "tests/parity/reference_files.h"
#include "tests/parity/run_python.h"
#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

constexpr double kTolerance = 1e-4;

struct Target {
  LossTarget target;
  const char* name;
};

TEST(FusionAndLossParity, ValuesAndGradientsEqualPyTorch) {
  const TemporaryFolder folder;
  run_python("fusion_reference.py", {folder.path().string()});
  const auto reference = read_tensors(folder / "case.safetensors");
  const auto head =
      make_temporal_fusion({.type = FusionType::Transf, .width = 96, .layers = 6, .heads = 3, .frames = 8});
  {
    const at::NoGradGuard no_grad;
    for (auto parameter : head->named_parameters()) {
      parameter.value().copy_(reference.at("weights." + parameter.key()));
    }
  }
  const auto frames = reference.at("frames").clone().requires_grad_();
  const auto text = reference.at("text").clone().requires_grad_();
  const auto logit_scale = reference.at("logit_scale").clone().requires_grad_();
  EXPECT_LT(relative_error(head->forward(frames), reference.at("fused")), kTolerance);

  for (const auto& [target, name] :
       {Target{LossTarget::softmax, "softmax"}, Target{LossTarget::normalized, "normalized"},
        Target{LossTarget::identity, "identity"}}) {
    SCOPED_TRACE(name);
    head->zero_grad();
    SingleProcess alone;
    for (auto leaf : {frames, text, logit_scale}) leaf.mutable_grad() = at::Tensor();
    const auto loss =
        contrastive_loss(head->forward(frames), text, logit_scale, reference.at("labels"), target, alone);
    loss.backward();
    const std::string prefix = std::string(name) + ".";
    EXPECT_LT(relative_error(loss, reference.at(prefix + "loss")), kTolerance);
    EXPECT_LT(relative_error(frames.grad(), reference.at(prefix + "grad.frames")), kTolerance);
    EXPECT_LT(relative_error(text.grad(), reference.at(prefix + "grad.text")), kTolerance);
    EXPECT_LT(relative_error(logit_scale.grad(), reference.at(prefix + "grad.logit_scale")), kTolerance);
    for (const auto& parameter : head->named_parameters()) {
      const auto& expected = reference.at(prefix + "grad." + parameter.key());
      // The key bias has no effect on attention: its gradient is rounding in both.
      if (parameter.key().ends_with("attn.in_proj_bias")) {
        for (const std::int64_t part : {0, 2}) {
          EXPECT_LT(relative_error(parameter.value().grad().chunk(3)[part], expected.chunk(3)[part]),
                    kTolerance)
              << parameter.key();
        }
      } else {
        EXPECT_LT(relative_error(parameter.value().grad(), expected), kTolerance) << parameter.key();
      }
    }
  }
}

TEST(ContrastiveTarget, SameLabelsAreAllPositive) {
  const auto rows = contrastive_target(at::tensor({3, 5, 3}, at::kLong), LossTarget::normalized, 0, 3);
  EXPECT_TRUE(
      at::allclose(rows, at::tensor({0.5, 0.0, 0.5, 0.0, 1.0, 0.0, 0.5, 0.0, 0.5}, at::kFloat).view({3, 3})));
}

}  // namespace
}  // namespace actionclip
