// Small models of every kind that the method knows, and what learns in them.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "actionclip/model/action_clip.h"

namespace actionclip {

inline ActionClipConfig small_model(FusionType fusion = FusionType::Transf) {
  ActionClipConfig sizes;
  sizes.vision = {.image_size = 64, .patch_size = 8, .width = 128, .layers = 4, .heads = 2, .output_dim = 64};
  sizes.text = {
      .context_length = 16, .vocabulary_size = 500, .width = 96, .layers = 2, .heads = 2, .output_dim = 64};
  sizes.fusion = {.type = fusion, .width = 64, .layers = 2, .heads = 2, .frames = 4};
  return sizes;
}

inline ActionClipConfig small_joint_model() {
  auto sizes = small_model(FusionType::meanP);
  sizes.vision.joint_frames = sizes.fusion.frames;
  return sizes;
}

inline ActionClipConfig small_shift_model() {
  auto sizes = small_model();
  sizes.vision.temporal_shift = true;
  return sizes;
}

// Other perceptrons than CLIP's, and a factor for each channel.
inline ActionClipConfig small_scaled_model() {
  auto sizes = small_model();
  sizes.vision.mlp_width = 256;
  sizes.vision.activation = sizes.text.activation = Activation::gelu;
  sizes.vision.layer_scale = sizes.text.layer_scale = true;
  sizes.text.mlp_width = 200;
  return sizes;
}

inline ActionClipConfig small_resnet_model(FusionType fusion = FusionType::meanP) {
  auto sizes = small_model(fusion);
  sizes.vision = {.image_size = 64, .width = 32, .heads = 16, .output_dim = 64, .stages = {1, 2, 1, 1}};
  return sizes;
}

inline std::vector<std::pair<std::string, ActionClipConfig>> small_models() {
  auto context = small_model(), own_context = small_model(), classifier = small_model(FusionType::LSTM);
  context.context = {.length = 4};
  own_context.context = {.length = 3, .classes = 7};
  classifier.classes = 9;
  auto short_positions = small_model();
  short_positions.fusion.positions = short_positions.fusion.frames;
  return {{"Transf", small_model(FusionType::Transf)},
          {"Transf_short_positions", short_positions},
          {"meanP", small_model(FusionType::meanP)},
          {"Conv_1D", small_model(FusionType::Conv_1D)},
          {"LSTM", small_model(FusionType::LSTM)},
          {"Transf_cls", small_model(FusionType::Transf_cls)},
          {"joint", small_joint_model()},
          {"shift", small_shift_model()},
          {"scaled", small_scaled_model()},
          {"resnet", small_resnet_model()},
          {"context", context},
          {"own_context", own_context},
          {"classifier", classifier}};
}

// The block that a parameter lies in, its name beginning with `prefix` and the number; -1 elsewhere.
inline std::int64_t number_behind(std::string_view name, std::string_view prefix) {
  std::int64_t number = -1;
  if (name.starts_with(prefix))
    std::from_chars(name.data() + prefix.size(), name.data() + name.size(), number);
  return number;
}

inline std::int64_t image_block(std::string_view name, const VisionConfig& vision) {
  if (!vision.is_resnet()) return number_behind(name, "visual.transformer.resblocks.");
  for (std::size_t stage = 0; stage < vision.stages.size(); ++stage) {
    const auto block = number_behind(name, "visual.layer" + std::to_string(stage + 1) + ".");
    if (block >= 0)
      return std::accumulate(vision.stages.begin(),
                             vision.stages.begin() + static_cast<std::ptrdiff_t>(stage), block);
  }
  return -1;
}

inline bool follows_blocks(std::string_view name) {
  for (const std::string_view end :
       {"visual.ln_post.", "visual.proj", "visual.attnpool.", "ln_final.", "text_projection"}) {
    if (name.starts_with(end)) return true;
  }
  return false;
}

inline bool learns_in(std::string_view name, const ActionClipConfig& sizes, const TrainedParts& trained) {
  const auto among_last = [&](std::int64_t block, std::int64_t blocks,
                              const std::optional<std::int64_t>& last) {
    return !last || follows_blocks(name) || (block >= 0 && block >= blocks - *last);
  };
  if (name == "logit_scale") return trained.logit_scale;
  const auto& vision = sizes.vision;
  switch (part_of(name)) {
    case ModelPart::image: {
      const std::int64_t blocks =
          vision.is_resnet() ? std::accumulate(vision.stages.begin(), vision.stages.end(), std::int64_t{0})
                             : vision.layers;
      return trained.image && among_last(image_block(name, vision), blocks, trained.image_blocks);
    }
    case ModelPart::text:
      return trained.text && among_last(number_behind(name, "transformer.resblocks."), sizes.text.layers,
                                        trained.text_blocks);
    case ModelPart::fusion:
      return trained.fusion;
    case ModelPart::context:
      return trained.context;
    case ModelPart::classifier:
      return trained.classifier;
  }
  return false;
}

// Turns gradients on for what learns, and off for the rest.
inline void let_learn(ActionClip& model, const TrainedParts& trained) {
  for (auto& parameter : model->named_parameters())
    parameter.value().set_requires_grad(learns_in(parameter.key(), model->config(), trained));
}

}  // namespace actionclip
