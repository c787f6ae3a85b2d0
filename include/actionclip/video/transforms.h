// The transforms of video/frame_transform.h into tensors: uint8 clips [T, 3, S, S].
//
// Safe to call from many threads at once, and single-threaded within a call, so that loader workers do not
// multiply.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include "actionclip/video/augmentation.h"
#include "actionclip/video/config.h"
#include "actionclip/video/image.h"

namespace actionclip {

// The planes of a frame: uint8 [3, H, W], each row contiguous. The tensor must outlive the view.
PlanarView planes_of(const at::Tensor& frame);

// The same for each of [crops, 3, H, W].
std::vector<PlanarView> planes_of_all(const at::Tensor& frames);

// A frame of a training clip: cut out `choice`, resize it to S x S, flip. Writes `out`, uint8 [3, S, S].
// Throws VideoError if the choice does not lie inside the image. For the frames of a clip, a
// TrainingTransform saves time.
void transform_training_frame(const Image& image, const CropChoice& choice, Interpolation interpolation,
                              const at::Tensor& out);

// The crops of a test frame: short side to `resize`, then test_crops(). Writes `out`, uint8 [crops, 3, S, S];
// mirrored if `flip`. Throws as TestTransform::apply(), which saves time for the frames of a clip.
void transform_test_frame(const Image& image, std::int64_t resize, const at::Tensor& out, bool flip = false);

// The views of `images`: uint8 [crops, T, 3, S, S]. Throws as transform_test_frame.
at::Tensor test_transform(std::span<const Image> images, std::int64_t resize, std::int64_t input_size,
                          std::int64_t crops);

}  // namespace actionclip
