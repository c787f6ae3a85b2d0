// From the bytes of frames to what the image encoder reads: cut out, mirrored and normalised in one pass over
// the pixels, on the device where the frames are. On an NVIDIA GPU a kernel does it (where the build has it),
// on the CPU a loop over libtorch's threads, elsewhere operations of libtorch; all three give the same bits.
#pragma once

#include <array>
#include <vector>

#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>

#include "actionclip/video/augmentation.h"

namespace actionclip {

// Of the channels red, green and blue, on the scale from 0 to 1.
struct ChannelStatistics {
  std::array<float, 3> mean = {};
  std::array<float, 3> std = {1, 1, 1};
};

struct NormalizeOptions {
  at::ScalarType type = at::kFloat;  // of the result: kFloat, kHalf or kBFloat16
  // What is cut out of the frames: one rectangle a frame, or K that serve N / K frames in a row each (those
  // of a clip); all of one size. Empty: the whole frames.
  std::vector<CropChoice> crops = {};
};

// frames uint8 [N, 3, H, W] -> [N, 3, h, w], contiguous, h x w being the crops' size: (byte / 255 - mean[c])
// / std[c], computed in fp32 with each of the three operations rounded, and rounded to `options.type` at the
// end. No gradient passes. Throws Error if frames, statistics, crops or type are not as said here, on a crop
// that does not lie inside the frame, on a side of more than 2^31 - 1 pixels, and with the CUDA error's text
// if the kernel cannot start.
at::Tensor normalize_frames(const at::Tensor& frames, const ChannelStatistics& statistics,
                            const NormalizeOptions& options = {});

// The same written to `out`: contiguous, on the frames' device, [N, 3, h, w] of `options.type`; it must not
// overlap `frames`.
void normalize_frames_into(const at::Tensor& out, const at::Tensor& frames,
                           const ChannelStatistics& statistics, const NormalizeOptions& options = {});

}  // namespace actionclip
