// What turns images into features, and the position embeddings of such encoders at other resolutions.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include "actionclip/model/config.h"

namespace actionclip {

// Parameters carry CLIP's names (below `visual.`).
class ImageEncoder : public torch::nn::Module {
 public:
  // images [B T, 3, image_size, image_size], normalised; the T = `frames` images of a video follow each
  // other.
  // -> features [B T, output_dim], or [B, output_dim] from an encoder that sees the frames of a video as one
  // sequence (VisionConfig::joint_frames).
  virtual at::Tensor forward(const at::Tensor& images, std::int64_t frames) = 0;

  // Where it looks: images as forward() takes them -> [B T, G, G] fp32, of each image the weight of its G x G
  // places, row by row. Computed in a pass of its own, which leaves forward() as it is; takes about twice as
  // long. For evaluation mode.
  virtual at::Tensor attention_maps(const at::Tensor& images, std::int64_t frames) = 0;

  // How it finds attention_maps(), for people.
  virtual std::string attention_method() const = 0;
};

// A vision transformer, or CLIP's modified ResNet where `config` has its stages.
std::shared_ptr<ImageEncoder> make_image_encoder(const VisionConfig& config);

// Whether `positions` are those of a square of patches behind a class token: [1 + g g, width] for some g.
bool are_square_positions(const at::Tensor& positions);

// Learned positions [1 + g g, width] of g x g patches behind a class token, for grid x grid patches:
// [1 + grid grid, width] in fp32. Bicubic with antialiasing, as open_clip does it; the class token keeps its
// position, and so does everything where g = grid.
at::Tensor resize_positions(const at::Tensor& positions, std::int64_t grid);

// Learned positions in time [T, width] for `frames` frames: [frames, width] in fp32, linear.
at::Tensor resize_time_positions(const at::Tensor& positions, std::int64_t frames);

}  // namespace actionclip
