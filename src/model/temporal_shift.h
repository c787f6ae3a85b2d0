// The temporal shift between the frames of a video (Lin et al. 2019, "TSM"), ActionCLIP's in-network prompt.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace actionclip {

// x [B T, 1 + P, width], `frames` T, a class token before the P patch tokens. Of the patch tokens' channels
// the first eighth takes the values of the next frame and the second eighth those of the previous one, with
// zeros where there is none; all else stays, class tokens included.
at::Tensor temporal_shift(const at::Tensor& x, std::int64_t frames);

// Where what is given to shifted tokens came from: shares [B T, 1 + P] of the tokens behind the shift ->
// those of the tokens before it. A patch token passes its share on by the channels that it took from each
// frame (an eighth from the next, an eighth from the previous one, the rest its own); zeros that came from
// nowhere count for nothing.
at::Tensor shares_before_shift(const at::Tensor& shares, std::int64_t frames, std::int64_t width);

}  // namespace actionclip
