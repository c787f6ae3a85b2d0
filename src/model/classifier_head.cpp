#include "actionclip/model/classifier_head.h"

#include <ATen/ops/linear.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>

namespace actionclip {
namespace {

constexpr double kStartStd = 0.01;

}  // namespace

ClassifierHeadImpl::ClassifierHeadImpl(std::int64_t width, std::int64_t classes) {
  weight = register_parameter("weight", at::randn({classes, width}) * kStartStd);
  bias = register_parameter("bias", at::zeros({classes}));
}

at::Tensor ClassifierHeadImpl::forward(const at::Tensor& features) {
  return at::linear(features.to(at::kFloat), weight, bias);
}

}  // namespace actionclip
