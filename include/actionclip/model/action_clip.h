// ActionClip: CLIP's two towers and a temporal fusion head (Wang, Xing, Liu 2021), and a learned context of
// the prompts where there is one.
// State dict: CLIP's names (`visual.*`, `transformer.*`, `token_embedding.weight`, ..., `logit_scale`), the
// head's below `fusion.`, `context.vectors`, a linear classifier's below `classifier.`.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>
#include <torch/ordered_dict.h>

#include "actionclip/model/classifier_head.h"
#include "actionclip/model/config.h"
#include "actionclip/model/image_encoder.h"
#include "actionclip/model/learned_context.h"
#include "actionclip/model/temporal_fusion.h"
#include "actionclip/model/text_transformer.h"
#include "actionclip/video/normalize.h"

namespace actionclip {

// The parts that are initialised, frozen and given learning rates apart. Names of their parameters begin with
// "visual.", "fusion.", "context." (learned context) and "classifier."; all others are the text encoder's.
enum class ModelPart { image, text, fusion, context, classifier };

// The part that a parameter name belongs to; `logit_scale` counts as text, as in the method's parameter
// groups.
ModelPart part_of(std::string_view parameter_name);

// N texts as the text encoder reads them, all int64, on the CPU or the model's device. Tokens alone are plain
// texts, whatever the model.
struct TextInput {
  TextInput(at::Tensor tokens, at::Tensor placeholders = {}, at::Tensor label_ids = {})
      : tokens(std::move(tokens)), placeholders(std::move(placeholders)), label_ids(std::move(label_ids)) {}

  at::Tensor tokens;        // [N, L]
  at::Tensor placeholders;  // [N, M]: where the model's learned context stands; undefined: nowhere
  at::Tensor label_ids;     // [N]: whose vectors stand there, where the context is class-specific
};

class ActionClipImpl : public torch::nn::Module {
 public:
  explicit ActionClipImpl(const ActionClipConfig& config);

  // clips [B, T, 3, S, S]: uint8 (0 to 255; scaled and normalised here, on the model's device, to the type
  // that the image encoder's first layer reads) or already normalised floats
  // -> video features [B, D], not normalised.
  at::Tensor encode_video(const at::Tensor& clips);

  // The features before fusion, one a frame: [B, T, D]; one a video, [B, 1, D], with joint space-time
  // attention. With T = 1 this is CLIP's image encoder.
  at::Tensor encode_frames(const at::Tensor& clips);

  // Where the image encoder looks in each frame: clips as above -> [B, T, G, G] fp32 on the CPU. See
  // ImageEncoder::attention_maps().
  at::Tensor attention_maps(const at::Tensor& clips);

  // N texts -> text features [N, D], not normalised.
  at::Tensor encode_text(const TextInput& texts);

  // Turns gradients of a part on or off.
  void set_trainable(ModelPart part, bool trainable);

  at::Device device() const;
  const ActionClipConfig& config() const { return config_; }

  std::shared_ptr<ImageEncoder> visual;
  std::shared_ptr<TemporalFusion> fusion;
  TextTransformer text{nullptr};       // its children are registered at the top level, where CLIP has them
  LearnedContext context{nullptr};     // empty where there is none
  at::Tensor logit_scale;              // scalar, natural logarithm
  ClassifierHead classifier{nullptr};  // where config().classes says that there is one

 private:
  at::Tensor images_of(
      const at::Tensor& clips);  // [B, T, 3, S, S] -> [B T, 3, S, S], normalised, on the device

  ActionClipConfig config_;
  ChannelStatistics statistics_;
};
TORCH_MODULE(ActionClip);

// x / ||x|| over the last dimension, computed in fp32.
at::Tensor l2_normalize(const at::Tensor& features);

}  // namespace actionclip
