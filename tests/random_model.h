// Settings of a small model that starts at random, for tests that need no weights.
#pragma once

#include <cstdint>

#include "actionclip/model/config.h"

namespace actionclip {

// The same width and number of layers in every part.
struct RandomModelSizes {
  std::int64_t width = 64, layers = 1, heads = 1, frames = 2;
  std::int64_t image_size = 16, patch_size = 8;
  std::int64_t context_length = 16, vocabulary_size = 49408;
};

inline ModelConfig random_model(const RandomModelSizes& sizes) {
  ModelConfig config;
  config.arch = "custom";
  config.init = {.image = InitSource::random, .text = InitSource::random};
  config.frames = sizes.frames;
  config.fusion_layers = sizes.layers;
  config.embed_dim = sizes.width;
  config.vision.image_size = sizes.image_size;
  config.vision.patch_size = sizes.patch_size;
  config.vision.width = sizes.width;
  config.vision.layers = sizes.layers;
  config.vision.heads = sizes.heads;
  config.text.context_length = sizes.context_length;
  config.text.vocabulary_size = sizes.vocabulary_size;
  config.text.width = sizes.width;
  config.text.layers = sizes.layers;
  config.text.heads = sizes.heads;
  return config;
}

}  // namespace actionclip
