// The Transf head and the losses, values and gradients, against an independent PyTorch implementation.

#include <map>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <torch/nn/modules/container/any.h>

#include "actionclip/core/error.h"
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

// Videos of several labels, and mixed ones.
class SoftLossParity : public ::testing::Test {
 protected:
  void SetUp() override {
    run_python("soft_loss_reference.py", {folder_.path().string()});
    reference_ = read_tensors(folder_ / "case.safetensors");
  }

  at::Tensor leaf(const char* name) const { return reference_.at(name).clone().requires_grad_(); }
  BatchLabels labels() const { return {reference_.at("labels"), reference_.at("targets")}; }

  void expect_loss(const std::string& prefix, const at::Tensor& loss,
                   const std::map<std::string, at::Tensor>& leaves) const {
    EXPECT_LT(relative_error(loss, reference_.at(prefix + "loss")), kTolerance) << prefix;
    loss.backward();
    for (const auto& [name, tensor] : leaves)
      EXPECT_LT(relative_error(tensor.grad(), reference_.at(prefix + "grad." + name)), kTolerance)
          << prefix << name;
  }

 private:
  const TemporaryFolder folder_;
  std::map<std::string, at::Tensor> reference_;
};

TEST_F(SoftLossParity, Contrastive) {
  SingleProcess alone;
  for (const auto& [target, name] :
       {Target{LossTarget::softmax, "softmax"}, Target{LossTarget::normalized, "normalized"}}) {
    const auto video = leaf("video"), text = leaf("text"), scale = leaf("logit_scale");
    expect_loss(std::string("contrastive.") + name + ".",
                contrastive_loss(video, text, scale, labels(), target, alone),
                {{"video", video}, {"text", text}, {"logit_scale", scale}});
  }
}

TEST_F(SoftLossParity, CrossEntropyWithAndWithoutSmoothing) {
  for (const auto& [name, smoothing] : {std::pair("0.", 0.0), std::pair("1.", 0.1)}) {
    const auto video = leaf("video"), classes = leaf("classes"), scale = leaf("logit_scale");
    expect_loss(std::string("texts.") + name,
                classification_loss(class_logits(video, classes, scale), labels(), smoothing),
                {{"video", video}, {"classes", classes}, {"logit_scale", scale}});
    const auto input = leaf("video"), weight = leaf("weight"), bias = leaf("bias");
    expect_loss(std::string("linear.") + name,
                classification_loss(at::matmul(input, weight.t()) + bias, labels(), smoothing),
                {{"video", input}, {"weight", weight}, {"bias", bias}});
  }
}

TEST(SoftLoss, TargetsOfOneLabelEachGiveTheLossOfPlainLabels) {
  at::manual_seed(2);
  SingleProcess alone;
  const auto video = at::randn({6, 8}), text = at::randn({6, 8}), scale = at::full({}, 2.0);
  const auto ids = at::tensor({0, 1, 0, 2, 1, 3}, at::kLong);
  const BatchLabels soft(ids, at::one_hot(ids, 5).to(at::kFloat));
  for (const auto target : {LossTarget::softmax, LossTarget::normalized, LossTarget::identity}) {
    EXPECT_LT(relative_error(contrastive_loss(video, text, scale, soft, target, alone),
                             contrastive_loss(video, text, scale, ids, target, alone)),
              1e-6);
  }
  const auto logits = at::randn({6, 5});
  for (const double smoothing : {0.0, 0.2})
    EXPECT_LT(relative_error(classification_loss(logits, soft, smoothing),
                             classification_loss(logits, ids, smoothing)),
              1e-6);
}

TEST(ContrastiveTarget, AVideoOfTwoLabelsHasItsTextsInTheirMeasure) {
  const auto positives = at::tensor({0.7, 0.3, 0.0}, at::kFloat).view({1, 3});
  EXPECT_TRUE(at::allclose(positives_to_target(positives, LossTarget::normalized), positives));
  EXPECT_TRUE(at::allclose(positives_to_target(positives, LossTarget::softmax), positives, 0, 1e-3));
  EXPECT_THROW(positives_to_target(positives, LossTarget::identity), Error);
}

TEST(ContrastiveTarget, SameLabelsAreAllPositive) {
  const auto rows = contrastive_target(at::tensor({3, 5, 3}, at::kLong), LossTarget::normalized, 0, 3);
  EXPECT_TRUE(
      at::allclose(rows, at::tensor({0.5, 0.0, 0.5, 0.0, 1.0, 0.0, 0.5, 0.0, 0.5}, at::kFloat).view({3, 3})));
}

}  // namespace
}  // namespace actionclip
