// The sums of a resize: rows of bytes, each times a weight, added up.
#pragma once

#include <cstdint>
#include <span>

namespace actionclip {

// Values are added up in blocks of so many.
inline constexpr std::int64_t kSumBlock = 32;

// out[i] = the sum of the sources at i, each times its weight of kWeightBits bits, rounded and clamped, for i
// < n, which must be a multiple of kSumBlock. The weights that are not negative must add up to 1.3 at most,
// as those of resample_weights() do: no sum overflows.
void add_weighted(std::span<const std::uint8_t* const> sources, const std::int32_t* weights, std::int64_t n,
                  std::uint8_t* out);

// The same without what only some processors have.
void add_weighted_plainly(std::span<const std::uint8_t* const> sources, const std::int32_t* weights,
                          std::int64_t n, std::uint8_t* out);

}  // namespace actionclip
