#include "actionclip/model/temporal_fusion.h"

#include <ATen/ops/arange.h>
#include <torch/nn/init.h>
#include <torch/nn/modules/embedding.h>

#include "actionclip/core/error.h"
#include "actionclip/model/transformer.h"

namespace actionclip {
namespace {

// `meanP`: the mean over time.
class MeanFusion : public TemporalFusion {
 public:
  at::Tensor forward(const at::Tensor& frame_features) override { return frame_features.mean(1); }
};

// `Transf`: positions added, residual attention blocks, the input added back, mean over time.
class TransformerFusion : public TemporalFusion {
 public:
  explicit TransformerFusion(const TemporalFusionConfig& config) {
    frame_position_embeddings_ =
        register_module("frame_position_embeddings", torch::nn::Embedding(kFusionPositions, config.width));
    transformer_ = register_module(
        "transformer",
        Transformer(TransformerOptions{
            .width = config.width, .layers = config.layers, .heads = config.heads, .layer_norm_eps = 1e-12}));
    initialize(config.position_std);
  }

  at::Tensor forward(const at::Tensor& frame_features) override {
    const std::int64_t frames = frame_features.size(1);
    TORCH_CHECK(frames <= kFusionPositions, "the Transf head takes up to ", kFusionPositions, " frames, ",
                frames, " given");
    const auto positions = frame_position_embeddings_->weight.narrow(0, 0, frames);
    const auto fused = transformer_(frame_features + positions);
    return (fused.to(frame_features.scalar_type()) + frame_features).mean(1);
  }

 private:
  // Positions N(0, position_std), linear weights N(0, 0.02), biases 0; the packed attention projection keeps
  // Xavier's.
  void initialize(double position_std) {
    torch::nn::init::normal_(frame_position_embeddings_->weight, 0, position_std);
    for (const auto& module : *transformer_->resblocks) {
      auto* block = module->as<ResidualAttentionBlock>();
      for (auto& linear : {block->attn->out_proj, block->mlp->c_fc, block->mlp->c_proj}) {
        torch::nn::init::normal_(linear->weight, 0, 0.02);
        torch::nn::init::zeros_(linear->bias);
      }
    }
  }

  torch::nn::Embedding frame_position_embeddings_{nullptr};
  Transformer transformer_{nullptr};
};

}  // namespace

std::shared_ptr<TemporalFusion> make_temporal_fusion(const TemporalFusionConfig& config) {
  switch (config.type) {
    case FusionType::meanP:
      return std::make_shared<MeanFusion>();
    case FusionType::Transf:
      return std::make_shared<TransformerFusion>(config);
  }
  throw Error("unknown temporal fusion");
}

}  // namespace actionclip
