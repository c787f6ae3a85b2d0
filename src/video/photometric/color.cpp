// Operations that mix the three channels of a pixel.
#include <cstdint>

#include <fmt/format.h>

#include "actionclip/core/error.h"
#include "actionclip/video/pixel_operations.h"

#include "video/photometric/planes.h"

namespace actionclip {
namespace {

using detail::to_byte;

constexpr float kSectors = 6.0F;  // of the hue's circle: red, yellow, green, cyan, blue, magenta

float larger(float a, float b) { return a > b ? a : b; }

float in_circle(float sector) {  // of [-6, 12), without a branch
  const float lifted = sector + (sector < 0 ? kSectors : 0.0F);
  return lifted - (lifted >= kSectors ? kSectors : 0.0F);
}

// 0 in the two sectors where a channel is the largest, 1 in the two opposite, linear between.
float distance_from_peak(float sector) {
  return detail::limited(sector < 2.0F ? sector : 4.0F - sector, 0.0F, 1.0F);
}

// HSV and back in one: value and saturation stay, so the largest and the smallest channel keep their sizes
// and only the hue's place on the circle moves.
[[gnu::always_inline]] inline void shift_hue(std::uint8_t& red, std::uint8_t& green, std::uint8_t& blue,
                                             float shift) {
  constexpr float kToBytes = 255.999F / 255.0F;  // torchvision's conversion of [0, 1] to bytes rounds so
  const float r = red;
  const float g = green;
  const float b = blue;
  const float high = larger(r, larger(g, b));
  const float chroma = high + larger(-r, larger(-g, -b));
  const float scale = 1.0F / larger(chroma, 1.0F);  // grey: the differences are 0 anyway
  const float blue_or_green = high == g ? 2.0F + (b - r) * scale : 4.0F + (r - g) * scale;
  const float hue = in_circle((high == r ? (g - b) * scale : blue_or_green) + shift);
  const float red_sector = hue + 5.0F;
  const float green_sector = hue + 3.0F;
  const float blue_sector = hue + 1.0F;
  red = to_byte((high - chroma * distance_from_peak(in_circle(red_sector))) * kToBytes);
  green = to_byte((high - chroma * distance_from_peak(in_circle(green_sector))) * kToBytes);
  blue = to_byte((high - chroma * distance_from_peak(in_circle(blue_sector))) * kToBytes);
}

}  // namespace

void adjust_saturation(const PixelView& pixels, double factor) {
  if (!(factor >= 0)) throw Error(fmt::format("a factor of saturation is at least 0, not {}", factor));
  const auto own = static_cast<float>(factor);
  const auto rest = static_cast<float>(1.0 - factor);
  detail::for_each_pixel(pixels, [own, rest](std::uint8_t& red, std::uint8_t& green, std::uint8_t& blue) {
    const float grey = rest * static_cast<float>(detail::grey_of(red, green, blue));
    red = to_byte(own * static_cast<float>(red) + grey);
    green = to_byte(own * static_cast<float>(green) + grey);
    blue = to_byte(own * static_cast<float>(blue) + grey);
  });
}

void to_grayscale(const PixelView& pixels) {
  detail::for_each_pixel(pixels, [](std::uint8_t& red, std::uint8_t& green, std::uint8_t& blue) {
    red = green = blue = static_cast<std::uint8_t>(detail::grey_of(red, green, blue));
  });
}

void adjust_hue(const PixelView& pixels, double shift) {
  constexpr double kHalfCircle = 0.5;
  if (!(shift >= -kHalfCircle && shift <= kHalfCircle)) {
    throw Error(fmt::format("a shift of hue is in [-0.5, 0.5], not {}", shift));
  }
  const auto sectors = static_cast<float>(shift) * kSectors;
  detail::for_each_pixel(pixels, [sectors](std::uint8_t& red, std::uint8_t& green, std::uint8_t& blue) {
    shift_hue(red, green, blue, sectors);
  });
}

}  // namespace actionclip
