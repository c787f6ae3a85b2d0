// A model of a few thousand numbers, its settings and its weights file.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "actionclip/weights/initialize.h"
#include "actionclip/weights/safetensors.h"
#include "actionclip/weights/tensor_convert.h"

#include "tests/random_model.h"

namespace actionclip {

inline ActionClipConfig small_sizes() {
  ActionClipConfig sizes;
  sizes.vision = {.image_size = 32, .patch_size = 16, .width = 64, .layers = 1, .heads = 2, .output_dim = 64};
  sizes.text = {
      .context_length = 8, .vocabulary_size = 20, .width = 64, .layers = 1, .heads = 2, .output_dim = 64};
  sizes.fusion = {.type = FusionType::Transf, .width = 64, .layers = 1, .heads = 2, .frames = 4};
  return sizes;
}

// Settings of the same sizes, everything at random.
inline ModelConfig small_settings() {
  return random_model({.width = 64,
                       .layers = 1,
                       .heads = 2,
                       .frames = 4,
                       .image_size = 32,
                       .patch_size = 16,
                       .context_length = 8,
                       .vocabulary_size = 20});
}

inline ModelConfig start_from(ModelConfig config, const std::filesystem::path& weights) {
  config.weights.path = weights;
  config.init = {.image = InitSource::weights, .text = InitSource::weights};
  return config;
}

inline void write_weights(const std::filesystem::path& file, const StateDict& tensors,
                          const std::map<std::string, std::string>& metadata) {
  write_safetensors(file, from_tensors({tensors.begin(), tensors.end()}), metadata);
}

}  // namespace actionclip
