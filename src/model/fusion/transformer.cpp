#include "actionclip/model/transformer.h"

#include <torch/nn/init.h>
#include <torch/nn/modules/embedding.h>

#include "heads.h"

namespace actionclip {
namespace {

class TransformerFusion : public TemporalFusion {
 public:
  explicit TransformerFusion(const TemporalFusionConfig& config) {
    frame_position_embeddings_ =
        register_module("frame_position_embeddings", torch::nn::Embedding(config.positions, config.width));
    transformer_ = register_module("transformer",
                                   Transformer(TransformerOptions{.width = config.width,
                                                                  .layers = config.layers,
                                                                  .heads = config.heads,
                                                                  .layer_norm_eps = config.layer_norm_eps}));
    initialize(config.position_std);
  }

  at::Tensor forward(const at::Tensor& frame_features) override {
    const std::int64_t frames = frame_features.size(1), rows = frame_position_embeddings_->weight.size(0);
    TORCH_CHECK(frames <= rows, "the Transf head has positions for up to ", rows, " frames, ", frames,
                " given");
    const auto positions = frame_position_embeddings_->weight.narrow(0, 0, frames);
    return add_and_average(transformer_(frame_features + positions), frame_features);
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

std::shared_ptr<TemporalFusion> make_transformer_fusion(const TemporalFusionConfig& config) {
  return std::make_shared<TransformerFusion>(config);
}

}  // namespace actionclip
