#include "video/resampler.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

#include "video/weighted_sums.h"

namespace actionclip {
namespace {

// A vector of GCC's and Clang's own.
using Bytes [[gnu::vector_size(16)]] = std::uint8_t;

constexpr std::int64_t kSide = sizeof(Bytes);  // of the squares that are transposed

// Rows that go through the pass along the rows together, so that neighbours in memory get the same weight
// there too.
constexpr std::int64_t kBandRows = kSumBlock;
static_assert(kBandRows % kSide == 0);

// Reads `count` <= kSide bytes of each of kSide rows; writes kSide rows of kSide, byte i of row j where byte
// j of row i was. Four times the rows of the upper half take turns with those of the lower, byte by byte.
void transpose(const std::uint8_t* const* rows, std::int64_t offset, std::int64_t count, std::uint8_t* out,
               std::int64_t stride) {
  Bytes square[kSide], shuffled[kSide];
  for (std::int64_t i = 0; i < kSide; ++i) {
    square[i] = Bytes{};
    std::memcpy(&square[i], rows[i] + offset, count == kSide ? kSide : static_cast<std::size_t>(count));
  }
  for (int round = 0; round < 4; ++round) {
    for (std::int64_t i = 0; i < kSide / 2; ++i) {
      const Bytes upper = square[i], lower = square[i + kSide / 2];
      shuffled[2 * i] =
          __builtin_shufflevector(upper, lower, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      shuffled[2 * i + 1] =
          __builtin_shufflevector(upper, lower, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    }
    std::memcpy(square, shuffled, sizeof square);
  }
  for (std::int64_t i = 0; i < kSide; ++i) std::memcpy(out + i * stride, &square[i], kSide);
}

std::int64_t rounded_up(std::int64_t value, std::int64_t unit) { return (value + unit - 1) / unit * unit; }

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
      plane_bytes_(rounded_up(part.width, kSide)),
      row_bytes_(rounded_up(3 * plane_bytes_, kSumBlock)),
      band_(static_cast<std::size_t>(std::max(kSide, 3 * columns_.count) * kBandRows)),
      narrow_(static_cast<std::size_t>(rounded_up(rows_.count, kBandRows) * row_bytes_)),
      line_(static_cast<std::size_t>(row_bytes_)),
      sources_(static_cast<std::size_t>(std::max(x_weights_.taps, y_weights_.taps))) {}

void Resampler::run(const Image& image, const PlanarView& out) {
  for (std::int64_t row = 0; row < rows_.count; row += kBandRows) {
    spread_band(image, row);
    narrow_band(row);
  }
  combine_rows(out);
}

// Lays kBandRows rows of the box side by side. Past its end: copies of the last.
void Resampler::spread_band(const Image& image, std::int64_t first_row) {
  std::array<const std::uint8_t*, kBandRows> rows{};
  for (std::int64_t i = 0; i < kBandRows; ++i) {
    const auto y = box_.y + rows_.begin + std::min(first_row + i, rows_.count - 1);
    rows[static_cast<std::size_t>(i)] = image.rgb.data() + 3 * (y * image.width + box_.x + columns_.begin);
  }
  const auto bytes = 3 * columns_.count;
  const auto count = std::min(kSide, bytes);
  for (std::int64_t next = 0; next < bytes; next += kSide) {
    const auto offset = std::min(next, bytes - count);  // the last square may repeat some of the one before
    for (std::int64_t i = 0; i < kBandRows; i += kSide)
      transpose(rows.data() + i, offset, count, band_.data() + offset * kBandRows + i, kBandRows);
  }
}

// Resizes the rows of the band, and stands them up again.
void Resampler::narrow_band(std::int64_t first_row) {
  const std::span sources(sources_.data(), static_cast<std::size_t>(x_weights_.taps));
  std::array<std::uint8_t, kSide * kBandRows> square;
  std::array<const std::uint8_t*, kSide> columns{};
  for (std::int64_t i = 0; i < kSide; ++i)
    columns[static_cast<std::size_t>(i)] = square.data() + i * kBandRows;
  for (std::int64_t x = 0; x < 3 * plane_bytes_; x += kSide) {
    const auto channel = x / plane_bytes_;
    for (std::int64_t i = 0; i < kSide; ++i) {
      const auto column = static_cast<std::size_t>(std::min(x % plane_bytes_ + i, part_.width - 1));
      const auto first = x_weights_.first[column] - columns_.begin;
      for (std::int64_t k = 0; k < x_weights_.taps; ++k) {
        const auto from = std::min(first + k, columns_.count - 1);
        sources[static_cast<std::size_t>(k)] = band_.data() + (3 * from + channel) * kBandRows;
      }
      add_weighted(sources, x_weights_.weights.data() + static_cast<std::int64_t>(column) * x_weights_.taps,
                   kBandRows, square.data() + i * kBandRows);
    }
    for (std::int64_t row = 0; row < kBandRows; row += kSide)
      transpose(columns.data(), row, kSide, narrow_.data() + (first_row + row) * row_bytes_ + x, row_bytes_);
  }
}

void Resampler::combine_rows(const PlanarView& out) {
  const std::span sources(sources_.data(), static_cast<std::size_t>(y_weights_.taps));
  for (std::int64_t y = 0; y < part_.height; ++y) {
    const auto first = y_weights_.first[static_cast<std::size_t>(y)] - rows_.begin;
    for (std::int64_t k = 0; k < y_weights_.taps; ++k) {
      sources[static_cast<std::size_t>(k)] =
          narrow_.data() + std::min(first + k, rows_.count - 1) * row_bytes_;
    }
    add_weighted(sources, y_weights_.weights.data() + y * y_weights_.taps, row_bytes_, line_.data());
    for (std::int64_t channel = 0; channel < 3; ++channel) {
      std::copy_n(line_.data() + channel * plane_bytes_, part_.width,
                  out.data + channel * out.plane_stride + y * out.row_stride);
    }
  }
}

}  // namespace actionclip
