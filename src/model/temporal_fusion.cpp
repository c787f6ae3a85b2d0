#include "actionclip/model/temporal_fusion.h"

#include "actionclip/core/error.h"

#include "fusion/heads.h"

namespace actionclip {

at::Tensor add_and_average(const at::Tensor& fused, const at::Tensor& frame_features) {
  return (fused.to(frame_features.scalar_type()) + frame_features).mean(1);
}

std::shared_ptr<TemporalFusion> make_temporal_fusion(const TemporalFusionConfig& config) {
  switch (config.type) {
    case FusionType::meanP:
      return make_mean_fusion();
    case FusionType::Conv_1D:
      return make_conv1d_fusion(config);
    case FusionType::LSTM:
      return make_lstm_fusion(config);
    case FusionType::Transf:
      return make_transformer_fusion(config);
    case FusionType::Transf_cls:
      return make_class_token_fusion(config);
  }
  throw Error("unknown temporal fusion");
}

}  // namespace actionclip
