// The two layouts of a picture behind one loop each, so that every operation is written once.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <type_traits>

#include "actionclip/video/pixel_operations.h"

namespace actionclip::detail {

constexpr float kMaxByte = 255.0F;

// `value` in [low, high], without a branch: pixels are unpredictable. (std::clamp's references make
// branches.)
inline float limited(float value, float low, float high) {
  const float at_least = value > low ? value : low;
  return at_least < high ? at_least : high;
}

inline std::uint8_t to_byte(float value) {  // rounded down, as torch casts
  return static_cast<std::uint8_t>(static_cast<int>(limited(value, 0.0F, kMaxByte)));
}

// torchvision's grey: 0.2989 red + 0.587 green + 0.114 blue, rounded down.
inline int grey_of(std::uint8_t red, std::uint8_t green, std::uint8_t blue) {
  return static_cast<int>(0.2989F * static_cast<float>(red) + 0.587F * static_cast<float>(green) +
                          0.114F * static_cast<float>(blue));
}

// Calls `kernel` with the bytes from a pixel to the next one, a constant of the type.
template <typename Kernel>
decltype(auto) with_pixel_step(PixelLayout layout, Kernel&& kernel) {
  if (layout == PixelLayout::packed) return kernel(std::integral_constant<std::int64_t, 3>{});
  return kernel(std::integral_constant<std::int64_t, 1>{});
}

// `kernel(red, green, blue)` for `count` pixels of three rows, with references to their bytes. Inlined, so
// that the compiler treats several pixels at once.
template <typename Kernel>
[[gnu::always_inline]] inline void change_rows(std::uint8_t* __restrict__ red,
                                               std::uint8_t* __restrict__ green,
                                               std::uint8_t* __restrict__ blue, std::int64_t count,
                                               const Kernel& kernel) {
  for (std::int64_t i = 0; i < count; ++i) kernel(red[i], green[i], blue[i]);
}

// The same for each pixel of a picture. Packed pixels are taken apart and put together again block by block.
template <typename Kernel>
void for_each_pixel(const PixelView& pixels, const Kernel& kernel) {
  if (pixels.layout == PixelLayout::planar) {
    change_rows(pixels.data, pixels.data + pixels.area(), pixels.data + 2 * pixels.area(), pixels.area(),
                kernel);
    return;
  }
  constexpr std::int64_t kBlock = 512;
  std::array<std::uint8_t, kBlock> red;
  std::array<std::uint8_t, kBlock> green;
  std::array<std::uint8_t, kBlock> blue;
  for (std::int64_t begin = 0; begin < pixels.area(); begin += kBlock) {
    const auto count = std::min(kBlock, pixels.area() - begin);
    auto* block = pixels.data + 3 * begin;
    for (std::int64_t i = 0; i < count; ++i) {
      red[i] = block[3 * i];
      green[i] = block[3 * i + 1];
      blue[i] = block[3 * i + 2];
    }
    change_rows(red.data(), green.data(), blue.data(), count, kernel);
    for (std::int64_t i = 0; i < count; ++i) {
      block[3 * i] = red[i];
      block[3 * i + 1] = green[i];
      block[3 * i + 2] = blue[i];
    }
  }
}

// What neighbourhoods and geometry see: one plane of pixels of 3 bytes, or three planes of single bytes.
template <typename PixelBytes>
struct Plane {
  std::uint8_t* data;
  std::int64_t width;
  std::int64_t height;
  static constexpr std::int64_t kPixelBytes = PixelBytes::value;

  std::int64_t row_bytes() const { return width * kPixelBytes; }
  std::int64_t bytes() const { return row_bytes() * height; }
  std::uint8_t* row(std::int64_t y) const { return data + y * row_bytes(); }
};

template <typename Kernel>
void for_each_plane(const PixelView& pixels, Kernel&& kernel) {
  with_pixel_step(pixels.layout, [&](auto step) {
    const auto planes = 3 / step;
    for (std::int64_t i = 0; i < planes; ++i) {
      kernel(Plane<decltype(step)>{pixels.data + i * pixels.area(), pixels.width, pixels.height});
    }
  });
}

}  // namespace actionclip::detail
