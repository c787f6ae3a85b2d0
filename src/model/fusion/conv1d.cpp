#include <ATen/ops/zeros.h>
#include <torch/nn/modules/conv.h>

#include "heads.h"

namespace actionclip {
namespace {

constexpr std::int64_t kTaps = 3;  // the frame before, the frame itself, the frame behind

// [D, 1, 3]: the first quarter of the channels takes the frame before, the last quarter the frame behind, the
// rest the frame itself.
at::Tensor temporal_shift_weight(std::int64_t width) {
  const std::int64_t quarter = width / 4;
  auto weight = at::zeros({width, 1, kTaps});
  weight.narrow(0, 0, quarter).select(2, 0).fill_(1);
  weight.narrow(0, quarter, width - 2 * quarter).select(2, 1).fill_(1);
  weight.narrow(0, width - quarter, quarter).select(2, 2).fill_(1);
  return weight;
}

class Conv1dFusion : public TemporalFusion {
 public:
  explicit Conv1dFusion(const TemporalFusionConfig& config) : layout_(config.conv1d_layout) {
    shift_ =
        register_module("shift", torch::nn::Conv1d(torch::nn::Conv1dOptions(config.width, config.width, kTaps)
                                                       .padding(kTaps / 2)
                                                       .groups(config.width)
                                                       .bias(false)));
    const at::NoGradGuard no_grad;
    shift_->weight.copy_(temporal_shift_weight(config.width));
  }

  at::Tensor forward(const at::Tensor& frame_features) override {
    const auto channels = layout_ == Conv1dLayout::time
                              ? frame_features.transpose(1, 2)
                              : frame_features.reshape(
                                    {frame_features.size(0), frame_features.size(2), frame_features.size(1)});
    return add_and_average(shift_(channels).transpose(1, 2), frame_features);
  }

 private:
  Conv1dLayout layout_;
  torch::nn::Conv1d shift_{nullptr};  // of [B, D, T]
};

}  // namespace

std::shared_ptr<TemporalFusion> make_conv1d_fusion(const TemporalFusionConfig& config) {
  return std::make_shared<Conv1dFusion>(config);
}

}  // namespace actionclip
