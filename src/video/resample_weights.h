// Which pixels of a line count how much for a pixel of the resized line, as Pillow counts them.
#pragma once

#include <cstdint>
#include <vector>

#include "actionclip/video/config.h"

namespace actionclip {

inline constexpr int kWeightBits = 22;  // a weight of 1 is 2^22

struct ResampleWeights {
  std::int64_t taps = 0;              // of every pixel: the most that one has; others have weights 0 there
  std::vector<std::int64_t> first;    // [n], the input pixel of tap 0; tap k is `first` + k, or past the line
  std::vector<std::int32_t> weights;  // [n, taps]; those of a pixel add up to 1, nearly
};

// For the pixels begin .. begin + count - 1 of a line of `from` pixels resized to `to`, the last one first if
// `mirror`. Antialiased: the filter is as wide as the reduction asks for. Pillow's definition: the filter
// (triangle; cubic with a = -0.5) about ((x + 1/2) * from / to), cut off at the ends of the line and divided
// by its sum there.
ResampleWeights resample_weights(std::int64_t from, std::int64_t to, Interpolation interpolation,
                                 std::int64_t begin, std::int64_t count, bool mirror);

}  // namespace actionclip
