// The temporal fusion heads, one file each; make_temporal_fusion() chooses among them.
#pragma once

#include <memory>

#include <ATen/core/Tensor.h>

#include "actionclip/model/config.h"
#include "actionclip/model/temporal_fusion.h"

namespace actionclip {

// `meanP`: the mean over time.
std::shared_ptr<TemporalFusion> make_mean_fusion();

// `Conv_1D`: a convolution over time for each channel, its input added back, the mean over time.
std::shared_ptr<TemporalFusion> make_conv1d_fusion(const TemporalFusionConfig& config);

// `LSTM`: one layer over time, its input added back, the mean over time.
std::shared_ptr<TemporalFusion> make_lstm_fusion(const TemporalFusionConfig& config);

// `Transf`: positions added, residual attention blocks, the input added back, the mean over time.
std::shared_ptr<TemporalFusion> make_transformer_fusion(const TemporalFusionConfig& config);

// `Transf_cls`: a class token before the frames, positions added, a post-norm transformer; what it makes of
// the class token is the video feature.
std::shared_ptr<TemporalFusion> make_class_token_fusion(const TemporalFusionConfig& config);

// The input added back, and the mean over time: fused [B, T, D], frame_features [B, T, D] -> [B, D], of the
// input's type.
at::Tensor add_and_average(const at::Tensor& fused, const at::Tensor& frame_features);

}  // namespace actionclip
