// From decoded frames to the model's input: crop, antialiased resize, flip. uint8 in, uint8 out: scaling to
// [0, 1], mean and standard deviation are the model's, on its device. S is the input size.
//
// Safe to call from many threads at once, and single-threaded within a call where the CPU has AVX2
// (libtorch's uint8 resize then starts no team of OpenMP threads), so that loader workers do not multiply. On
// other CPUs libtorch may start one team a worker.
#pragma once

#include <cstdint>
#include <span>

#include <ATen/core/Tensor.h>

#include "actionclip/video/augmentation.h"
#include "actionclip/video/image.h"

namespace actionclip {

// A frame of a training clip: cut out `choice`, resize it to S x S (bilinear), flip. Writes `out`, uint8 [3,
// S, S], contiguous. Throws VideoError if the choice does not lie inside the image.
void transform_training_frame(const Image& image, const CropChoice& choice, const at::Tensor& out);

// The crops of a test frame: short side to `resize` (bicubic, as Pillow's within 2 of 255), then
// test_crops(). Writes `out`, uint8 [crops, 3, S, S], each crop contiguous; mirrored if `flip`. Throws Error
// if resize < S, or crops is neither 1 nor 3; VideoError on a frame so thin that its resized form would have
// more than 64 Mi pixels.
void transform_test_frame(const Image& image, std::int64_t resize, const at::Tensor& out, bool flip = false);

// The clip of `images`, T frames of one size: uint8 [T, 3, S, S]. Throws as transform_training_frame.
at::Tensor train_transform(std::span<const Image> images, const CropChoice& choice, std::int64_t input_size);

// The views of `images`: uint8 [crops, T, 3, S, S]. Throws as transform_test_frame.
at::Tensor test_transform(std::span<const Image> images, std::int64_t resize, std::int64_t input_size,
                          std::int64_t crops);

}  // namespace actionclip
