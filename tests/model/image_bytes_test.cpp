// Images that come as bytes, against floats normalised by libtorch's operations.

#include <gtest/gtest.h>

#include "actionclip/model/autocast.h"

#include "tests/model/cost_cases.h"

namespace actionclip {
namespace {

at::Tensor channels(const std::vector<double>& values) {
  return at::tensor(values, at::kFloat).view({1, 1, 3, 1, 1});
}

at::Tensor normalized(const at::Tensor& clips, const ActionClipConfig& config) {
  return clips.to(at::kFloat).div_(255).sub_(channels(config.mean)).div_(channels(config.std));
}

// In fp32, and where the first layer would round floats to bf16: the same bits, hence the same features.
TEST(ImageBytes, GiveTheFeaturesOfFloatsInEveryPrecision) {
  const at::NoGradGuard no_grad;
  for (const auto& [name, config] : {std::pair("ViT", small_model()), std::pair("joint", small_joint_model()),
                                     std::pair("ResNet", small_resnet_model())}) {
    ActionClip model(config);
    const auto clips = at::randint(0, 256, {2, 4, 3, 64, 64}, at::kByte);
    for (const auto precision : {Precision::fp32, Precision::bf16}) {
      SCOPED_TRACE(name);
      const Autocast autocast(c10::kCPU, precision);
      EXPECT_TRUE(at::equal(model->encode_frames(clips), model->encode_frames(normalized(clips, config))));
    }
  }
}

TEST(ImageBytes, GiveTheGradientsOfFloatsInBf16) {
  for (const auto& config : {small_model(), small_resnet_model()}) {
    ActionClip model(config);
    const auto clips = at::randint(0, 256, {2, 4, 3, 64, 64}, at::kByte);
    const auto first_gradient = [&](const at::Tensor& images) {
      model->zero_grad();
      {
        const Autocast autocast(c10::kCPU, Precision::bf16);
        model->encode_frames(images).to(at::kFloat).square().sum().backward();
      }
      return model->named_parameters()["visual.conv1.weight"].grad().clone();
    };
    EXPECT_TRUE(at::equal(first_gradient(clips), first_gradient(normalized(clips, config))));
  }
}

}  // namespace
}  // namespace actionclip
