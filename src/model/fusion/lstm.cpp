#include <tuple>

#include <ATen/autocast_mode.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <torch/nn/modules/rnn.h>

#include "heads.h"

namespace actionclip {
namespace {

class LstmFusion : public TemporalFusion {
 public:
  explicit LstmFusion(const TemporalFusionConfig& config) {
    lstm_visual_ = register_module(
        "lstm_visual", torch::nn::LSTM(torch::nn::LSTMOptions(config.width, config.width).batch_first(true)));
  }

  at::Tensor forward(const at::Tensor& frame_features) override {
    return add_and_average(run(frame_features.to(at::kFloat)), frame_features);
  }

 private:
  // In fp32 under autocast too, as the published head: fused kernels refuse inputs and weights of different
  // types, and next to the image encoder the head costs nothing.
  at::Tensor run(const at::Tensor& x) {
    const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
    return std::get<0>(lstm_visual_(x));
  }

  torch::nn::LSTM lstm_visual_{nullptr};
};

}  // namespace

std::shared_ptr<TemporalFusion> make_lstm_fusion(const TemporalFusionConfig& config) {
  return std::make_shared<LstmFusion>(config);
}

}  // namespace actionclip
