// The Transf head and the losses, values and gradients, against an independent PyTorch implementation.

#include <map>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <torch/nn/modules/container/any.h>

#include "actionclip/model/classifier_head.h"
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

// By the texts of the classes, and by a linear classifier.
class ClassLossParity : public ::testing::TestWithParam<std::pair<const char*, double>> {
 protected:
  void SetUp() override {
    run_python("class_loss_reference.py", {folder_.path().string()});
    reference_ = read_tensors(folder_ / "case.safetensors");
  }

  at::Tensor leaf(const char* name) const { return reference_.at(name).clone().requires_grad_(); }

  void expect_loss(const std::string& kind, const at::Tensor& logits,
                   const std::map<std::string, at::Tensor>& leaves) const {
    const auto& [smoothing_name, smoothing] = GetParam();
    const std::string prefix = kind + "." + smoothing_name + ".";
    EXPECT_LT(relative_error(logits, reference_.at(prefix + "logits")), kTolerance);
    const auto loss = classification_loss(logits, reference_.at("labels"), smoothing);
    EXPECT_LT(relative_error(loss, reference_.at(prefix + "loss")), kTolerance);
    loss.backward();
    for (const auto& [name, tensor] : leaves)
      EXPECT_LT(relative_error(tensor.grad(), reference_.at(prefix + "grad." + name)), kTolerance) << name;
  }

 private:
  const TemporaryFolder folder_;
  std::map<std::string, at::Tensor> reference_;
};

TEST_P(ClassLossParity, OverTheTextsOfAllClasses) {
  const auto video = leaf("video"), text = leaf("text"), scale = leaf("logit_scale");
  expect_loss("texts", class_logits(video, text, scale),
              {{"video", video}, {"text", text}, {"logit_scale", scale}});
}

TEST_P(ClassLossParity, OfALinearClassifier) {
  const auto video = leaf("video"), weight = leaf("weight"), bias = leaf("bias");
  ClassifierHead head(weight.size(1), weight.size(0));
  head->weight = weight;
  head->bias = bias;
  expect_loss("linear", head(video), {{"video", video}, {"weight", weight}, {"bias", bias}});
}

INSTANTIATE_TEST_SUITE_P(Smoothing, ClassLossParity,
                         ::testing::Values(std::pair("0", 0.0), std::pair("1", 0.1)),
                         [](const auto& info) { return std::string("Is") + info.param.first; });

TEST(ContrastiveTarget, SameLabelsAreAllPositive) {
  const auto rows = contrastive_target(at::tensor({3, 5, 3}, at::kLong), LossTarget::normalized, 0, 3);
  EXPECT_TRUE(
      at::allclose(rows, at::tensor({0.5, 0.0, 0.5, 0.0, 1.0, 0.0, 0.5, 0.0, 0.5}, at::kFloat).view({3, 3})));
}

}  // namespace
}  // namespace actionclip
