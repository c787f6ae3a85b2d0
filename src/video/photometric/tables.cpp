// Operations in which a byte's new value depends on the byte alone: 256 values, looked up.
#include <algorithm>
#include <array>
#include <cstdint>

#include <fmt/format.h>

#include "actionclip/core/error.h"
#include "actionclip/video/pixel_operations.h"

#include "video/photometric/planes.h"

namespace actionclip {
namespace {

using detail::kMaxByte;
using detail::to_byte;

constexpr int kByteValues = 256;
constexpr int kByteBits = 8;
using Table = std::array<std::uint8_t, kByteValues>;
using Histogram = std::array<std::int64_t, kByteValues>;

template <typename NewValue>
Table table_of(NewValue&& new_value) {
  Table table{};
  for (int i = 0; i < kByteValues; ++i) table[i] = new_value(i);
  return table;
}

// The same table for all channels, so the layout does not matter.
void look_up(const PixelView& pixels, const Table& table) {
  const auto bytes = 3 * pixels.area();
  for (std::int64_t i = 0; i < bytes; ++i) pixels.data[i] = table[pixels.data[i]];
}

// `visit(channel, byte)` for each byte of each channel.
template <typename Visit>
void for_each_byte(const PixelView& pixels, Visit&& visit) {
  const auto next_channel = pixels.layout == PixelLayout::packed ? 1 : pixels.area();
  detail::with_pixel_step(pixels.layout, [&](auto step) {
    for (std::int64_t i = 0; i < step * pixels.area(); i += step) {
      for (std::int64_t channel = 0; channel < 3; ++channel) {
        visit(static_cast<std::size_t>(channel), pixels.data[i + channel * next_channel]);
      }
    }
  });
}

Table blend_table(double factor, float other) {
  if (!(factor >= 0))
    throw Error(fmt::format("a factor of brightness or contrast is at least 0, not {}", factor));
  const auto own = static_cast<float>(factor);
  const auto rest = static_cast<float>(1.0 - factor) * other;
  return table_of([&](int value) { return to_byte(own * static_cast<float>(value) + rest); });
}

float mean_grey(const PixelView& pixels) {
  constexpr std::int64_t kBlock = 4096;  // its sum fits 32 bits, which several pixels at once need
  double sum = 0;
  const bool packed = pixels.layout == PixelLayout::packed;
  for (std::int64_t begin = 0; begin < pixels.area(); begin += kBlock) {
    const auto count = std::min(kBlock, pixels.area() - begin);
    const auto* red = pixels.data + (packed ? 3 : 1) * begin;
    const auto next_channel = packed ? 1 : pixels.area();
    sum += detail::with_pixel_step(pixels.layout, [&](auto step) {
      int greys = 0;
      for (std::int64_t i = 0; i < step * count; i += step) {
        greys += detail::grey_of(red[i], red[i + next_channel], red[i + 2 * next_channel]);
      }
      return greys;
    });
  }
  return static_cast<float>(sum / static_cast<double>(pixels.area()));
}

// The largest value that occurs.
int last_value(const Histogram& counts) {
  int value = kByteValues - 1;
  while (value > 0 && counts[value] == 0) --value;
  return value;
}

Table stretched(const Histogram& counts) {
  const int high = last_value(counts);
  int low = 0;
  while (low < high && counts[low] == 0) ++low;
  const float scale = low == high ? 1.0F : kMaxByte / static_cast<float>(high - low);
  const int origin = low == high ? 0 : low;
  return table_of([&](int value) { return to_byte(static_cast<float>(value - origin) * scale); });
}

Table flattened(const Histogram& counts) {
  std::int64_t pixels = 0;
  for (const auto count : counts) pixels += count;
  const auto step = (pixels - counts[last_value(counts)]) / (kByteValues - 1);
  std::int64_t darker = 0;  // pixels of a smaller value
  return table_of([&](int value) {
    if (step == 0) return static_cast<std::uint8_t>(value);
    const auto level = std::min<std::int64_t>((darker + step / 2) / step, kByteValues - 1);
    darker += counts[value];
    return static_cast<std::uint8_t>(level);
  });
}

// Each channel by the table that `table_of_counts` makes of its histogram.
template <typename TableOfCounts>
void look_up_by_histogram(const PixelView& pixels, TableOfCounts&& table_of_counts) {
  std::array<Histogram, 3> counts{};
  for_each_byte(pixels, [&](std::size_t channel, std::uint8_t byte) { ++counts[channel][byte]; });
  std::array<Table, 3> tables{};
  std::ranges::transform(counts, tables.begin(), table_of_counts);
  for_each_byte(pixels, [&](std::size_t channel, std::uint8_t& byte) { byte = tables[channel][byte]; });
}

}  // namespace

void adjust_brightness(const PixelView& pixels, double factor) { look_up(pixels, blend_table(factor, 0)); }

void adjust_contrast(const PixelView& pixels, double factor) {
  look_up(pixels, blend_table(factor, mean_grey(pixels)));
}

void solarize(const PixelView& pixels, double threshold) {
  if (!(threshold >= 0 && threshold <= kMaxByte)) {
    throw Error(fmt::format("a threshold of solarize is in [0, 255], not {}", threshold));
  }
  look_up(pixels, table_of([&](int value) {
            return static_cast<std::uint8_t>(value >= threshold ? kByteValues - 1 - value : value);
          }));
}

void invert(const PixelView& pixels) { solarize(pixels, 0); }

void posterize(const PixelView& pixels, int bits) {
  if (bits < 0 || bits > kByteBits) throw Error(fmt::format("posterize keeps 0 to 8 bits, not {}", bits));
  const int dropped = (1 << (kByteBits - bits)) - 1;
  look_up(pixels, table_of([&](int value) { return static_cast<std::uint8_t>(value & ~dropped); }));
}

void autocontrast(const PixelView& pixels) { look_up_by_histogram(pixels, stretched); }

void equalize(const PixelView& pixels) { look_up_by_histogram(pixels, flattened); }

}  // namespace actionclip
