#include "video/resampler.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <span>

#include "video/vector_clones.h"

namespace actionclip {
namespace {

// Rows that go through the pass along the rows side by side, so that neighbours in memory get the same weight
// there too.
constexpr std::int64_t kBandRows = 32;
constexpr std::int64_t kBlock = 8;  // bytes of a machine word

// What a group of taps adds at place i.
class TapGroup {
 public:
  [[gnu::always_inline]] TapGroup(const std::int32_t* const* sources, const std::int32_t* weights)
      : a_(sources[0]), b_(sources[1]), c_(sources[2]), d_(sources[3]), weights_{} {
    std::copy_n(weights, kTapGroup, weights_.begin());
  }
  [[gnu::always_inline]] std::int32_t operator()(std::int64_t i) const {
    return a_[i] * weights_[0] + b_[i] * weights_[1] + c_[i] * weights_[2] + d_[i] * weights_[3];
  }

 private:
  const std::int32_t* __restrict a_;
  const std::int32_t* __restrict b_;
  const std::int32_t* __restrict c_;
  const std::int32_t* __restrict d_;
  std::array<std::int32_t, kTapGroup> weights_;
};

// out[i] = the sum of the sources at i, each times its weight, rounded and clamped, for i < n. As many
// sources as weights, a multiple of kTapGroup. `sums`: n values to work with. Inlined, so that a constant n
// is one. No overflow: the weights that are not negative add up to 1.3 at most.
[[gnu::always_inline]] inline void combine(std::span<const std::int32_t* const> sources,
                                           const std::int32_t* weights, std::int64_t n,
                                           std::int32_t* __restrict sums, std::uint8_t* __restrict out) {
  constexpr std::int32_t kRounding = 1 << (kWeightBits - 1);
  constexpr int kWhite = 255;
  for (std::int64_t i = 0; i < n; ++i) sums[i] = kRounding;
  const auto last = static_cast<std::int64_t>(sources.size()) - kTapGroup;
  for (std::int64_t k = 0; k < last; k += kTapGroup) {
    const TapGroup group(sources.data() + k, weights + k);
    for (std::int64_t i = 0; i < n; ++i) sums[i] += group(i);
  }
  const TapGroup group(sources.data() + last, weights + last);
  for (std::int64_t i = 0; i < n; ++i) {
    const int value = (sums[i] + group(i)) >> kWeightBits;
    out[i] = static_cast<std::uint8_t>(std::min(std::max(value, 0), kWhite));
  }
}

[[gnu::always_inline]] inline void widen(const std::uint8_t* __restrict bytes, std::int64_t n,
                                         std::int32_t* __restrict values) {
  for (std::int64_t i = 0; i < n; ++i) values[i] = bytes[i];
}

// Reads `count` <= 8 bytes of each of eight rows; writes eight rows of eight, byte i of row j where byte j of
// row i was.
[[gnu::always_inline]] inline void transpose(const std::uint8_t* const* rows, std::int64_t offset,
                                             std::int64_t count, std::uint8_t* out, std::int64_t stride) {
  static_assert(std::endian::native == std::endian::little, "byte 0 of a row must be the lowest of a word");
  std::array<std::uint64_t, kBlock> words{};
  for (std::size_t i = 0; i < kBlock; ++i) {
    std::memcpy(&words[i], rows[i] + offset, count == kBlock ? kBlock : static_cast<std::size_t>(count));
  }
  // Swaps the off-diagonal quarters of the square, then of its quarters, then of theirs.
  const auto swap = [&](std::size_t i, std::size_t step, int shift, std::uint64_t mask) {
    const auto changed = ((words[i] >> shift) ^ words[i + step]) & mask;
    words[i + step] ^= changed;
    words[i] ^= changed << shift;
  };
  for (const std::size_t i : {0, 1, 2, 3}) swap(i, 4, 32, 0x00000000FFFFFFFF);
  for (const std::size_t i : {0, 1, 4, 5}) swap(i, 2, 16, 0x0000FFFF0000FFFF);
  for (const std::size_t i : {0, 2, 4, 6}) swap(i, 1, 8, 0x00FF00FF00FF00FF);
  for (std::size_t i = 0; i < kBlock; ++i)
    std::memcpy(out + static_cast<std::int64_t>(i) * stride, &words[i], kBlock);
}

std::int64_t padded(std::int64_t width) { return (width + kBlock - 1) / kBlock * kBlock; }

}  // namespace

Resampler::Range Resampler::needed(const ResampleWeights& weights, std::int64_t from) {
  const auto begin = *std::min_element(weights.first.begin(), weights.first.end());
  const auto last = *std::max_element(weights.first.begin(), weights.first.end());
  return {.begin = begin, .count = std::min(from, last + weights.taps) - begin};
}

Resampler::Resampler(const CropChoice& box, Size to, const CropChoice& part, Interpolation interpolation)
    : box_(box),
      part_(part),
      x_weights_(resample_weights(box.width, to.width, interpolation, part.x, part.width, part.flip)),
      y_weights_(resample_weights(box.height, to.height, interpolation, part.y, part.height, false)),
      columns_(needed(x_weights_, box.width)),
      rows_(needed(y_weights_, box.height)),
      row_values_(3 * padded(part.width)),
      band_(static_cast<std::size_t>(std::max(kBlock, 3 * columns_.count) * kBandRows)),
      band_bytes_(static_cast<std::size_t>(kBandRows * row_values_)),
      narrow_(static_cast<std::size_t>(rows_.count * row_values_)),
      sums_(static_cast<std::size_t>(row_values_)),
      line_(static_cast<std::size_t>(row_values_)),
      sources_(static_cast<std::size_t>(std::max(x_weights_.taps, y_weights_.taps))) {}

void Resampler::run(const Image& image, const PlanarView& out) {
  for (std::int64_t row = 0; row < rows_.count; row += kBandRows) {
    spread_band(image, row);
    narrow_band(row);
  }
  combine_rows(out);
}

// Lays kBandRows rows of the box side by side. Past its end: copies of the last, up to a whole block.
ACTIONCLIP_VECTOR_CLONES void Resampler::spread_band(const Image& image, std::int64_t first_row) {
  std::array<const std::uint8_t*, kBandRows> rows{};
  for (std::int64_t i = 0; i < kBandRows; ++i) {
    const auto y = box_.y + rows_.begin + std::min(first_row + i, rows_.count - 1);
    rows[static_cast<std::size_t>(i)] = image.rgb.data() + 3 * (y * image.width + box_.x + columns_.begin);
  }
  std::array<std::uint8_t, kBlock * kBandRows> block{};
  const auto band_rows = std::min(kBandRows, rows_.count - first_row);
  const auto bytes = 3 * columns_.count;
  const auto count = std::min(kBlock, bytes);
  for (std::int64_t next = 0; next < bytes; next += kBlock) {
    const auto offset = std::min(next, bytes - count);
    for (std::int64_t i = 0; i < band_rows; i += kBlock) {
      transpose(rows.data() + i, offset, count, block.data() + i, kBandRows);
    }
    widen(block.data(), kBlock * kBandRows, band_.data() + offset * kBandRows);
  }
}

// Resizes the rows of the band, and stands them up again.
ACTIONCLIP_VECTOR_CLONES void Resampler::narrow_band(std::int64_t first_row) {
  const auto width = row_values_ / 3;
  const std::span sources(sources_.data(), static_cast<std::size_t>(x_weights_.taps));
  std::array<std::int32_t, kBandRows> sums;
  std::array<std::uint8_t, kBlock * kBandRows> block;
  const auto band_rows = std::min(kBandRows, rows_.count - first_row);
  for (std::int64_t x = 0; x < 3 * width; x += kBlock) {
    const auto channel = x / width;
    for (std::int64_t i = 0; i < kBlock; ++i) {
      const auto column = static_cast<std::size_t>(std::min(x % width + i, part_.width - 1));
      const auto first = x_weights_.first[column] - columns_.begin;
      for (std::int64_t k = 0; k < x_weights_.taps; ++k) {
        const auto from = std::min(first + k, columns_.count - 1);
        sources[static_cast<std::size_t>(k)] = band_.data() + (3 * from + channel) * kBandRows;
      }
      combine(sources, x_weights_.weights.data() + column * x_weights_.taps, kBandRows, sums.data(),
              block.data() + i * kBandRows);
    }
    std::array<const std::uint8_t*, kBlock> columns{};
    for (std::size_t i = 0; i < kBlock; ++i) columns[i] = block.data() + i * kBandRows;
    for (std::int64_t row = 0; row < band_rows; row += kBlock) {
      transpose(columns.data(), row, kBlock, band_bytes_.data() + row * row_values_ + x, row_values_);
    }
  }
  widen(band_bytes_.data(), band_rows * row_values_, narrow_.data() + first_row * row_values_);
}

ACTIONCLIP_VECTOR_CLONES void Resampler::combine_rows(const PlanarView& out) {
  const std::span sources(sources_.data(), static_cast<std::size_t>(y_weights_.taps));
  for (std::int64_t y = 0; y < part_.height; ++y) {
    const auto row = static_cast<std::size_t>(y);
    const auto first = y_weights_.first[row] - rows_.begin;
    for (std::int64_t k = 0; k < y_weights_.taps; ++k) {
      sources[static_cast<std::size_t>(k)] =
          narrow_.data() + std::min(first + k, rows_.count - 1) * row_values_;
    }
    combine(sources, y_weights_.weights.data() + y * y_weights_.taps, row_values_, sums_.data(),
            line_.data());
    for (std::int64_t channel = 0; channel < 3; ++channel) {
      std::copy_n(line_.data() + channel * (row_values_ / 3), part_.width,
                  out.data + channel * out.plane_stride + y * out.row_stride);
    }
  }
}

}  // namespace actionclip
