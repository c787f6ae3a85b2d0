// Operations that move pixels: nearest neighbour, black outside.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

#include <fmt/format.h>

#include "actionclip/core/error.h"
#include "actionclip/video/pixel_operations.h"

#include "video/photometric/planes.h"

namespace actionclip {
namespace {

constexpr double kMaxTangent = 16;

// Where a pixel of the result comes from, both measured from the picture's centre:
// (xx * x + xy * y + x0, yx * x + yy * y + y0).
struct AffineMap {
  double xx = 1, xy = 0, x0 = 0;
  double yx = 0, yy = 1, y0 = 0;
};

// The source of a row's first pixel, in pixels.
struct Point {
  double x;
  double y;
};

Point source_of_row(const AffineMap& map, std::int64_t y, std::int64_t width, std::int64_t height) {
  const double centre_x = static_cast<double>(width - 1) / 2;
  const double centre_y = static_cast<double>(height - 1) / 2;
  const double from_centre = static_cast<double>(y) - centre_y;
  return {.x = -map.xx * centre_x + map.xy * from_centre + map.x0 + centre_x,
          .y = -map.yx * centre_x + map.yy * from_centre + map.y0 + centre_y};
}

std::int64_t nearest(double place) { return static_cast<std::int64_t>(std::floor(place + 0.5)); }

// `row`, whose pixels come from `source`, `shift` pixels further right.
template <typename Plane>
void copy_shifted(const Plane& plane, const std::uint8_t* source, std::int64_t shift, std::uint8_t* row) {
  constexpr auto kBytes = Plane::kPixelBytes;
  const auto begin = std::clamp<std::int64_t>(-shift, 0, plane.width);
  const auto end = std::clamp<std::int64_t>(plane.width - shift, begin, plane.width);
  std::fill(row, row + begin * kBytes, std::uint8_t{0});
  if (begin < end)
    std::copy_n(source + (begin + shift) * kBytes, (end - begin) * kBytes, row + begin * kBytes);
  std::fill(row + end * kBytes, row + plane.width * kBytes, std::uint8_t{0});
}

// Steps along the source in fixed point, 32 bits of fraction.
template <typename Plane>
void gather(const Plane& plane, const std::vector<std::uint8_t>& source, Point start, const AffineMap& map,
            std::uint8_t* row) {
  constexpr double kOne = 4294967296.0;
  constexpr int kFraction = 32;
  constexpr auto kBytes = Plane::kPixelBytes;
  auto x = std::llround((start.x + 0.5) * kOne);
  auto y = std::llround((start.y + 0.5) * kOne);
  const auto step_x = std::llround(map.xx * kOne);
  const auto step_y = std::llround(map.yx * kOne);
  for (std::int64_t i = 0; i < plane.width; ++i, x += step_x, y += step_y, row += kBytes) {
    const auto column = x >> kFraction;
    const auto line = y >> kFraction;
    const bool inside = column >= 0 && column < plane.width && line >= 0 && line < plane.height;
    const auto* pixel = inside ? source.data() + (line * plane.width + column) * kBytes : nullptr;
    for (std::int64_t byte = 0; byte < kBytes; ++byte) row[byte] = pixel == nullptr ? 0 : pixel[byte];
  }
}

template <typename Plane>
void warp(const Plane& plane, const AffineMap& map) {
  const std::vector<std::uint8_t> source(plane.data, plane.data + plane.bytes());
  const bool rows_stay_whole = map.xx == 1 && map.yx == 0;
  for (std::int64_t y = 0; y < plane.height; ++y) {
    const auto start = source_of_row(map, y, plane.width, plane.height);
    if (!rows_stay_whole) {
      gather(plane, source, start, map, plane.row(y));
      continue;
    }
    const auto line = nearest(start.y);
    const bool inside = line >= 0 && line < plane.height;
    const auto* from = source.data() + (inside ? line : 0) * plane.row_bytes();
    copy_shifted(plane, from, inside ? nearest(start.x) : plane.width, plane.row(y));
  }
}

void warp(const PixelView& pixels, const AffineMap& map) {
  detail::for_each_plane(pixels, [&](const auto& plane) { warp(plane, map); });
}

void check_tangent(double tangent) {
  if (!(std::abs(tangent) <= kMaxTangent)) {
    throw Error(fmt::format("the tangent of a shear is in [-{0}, {0}], not {1}", kMaxTangent, tangent));
  }
}

}  // namespace

void shear_x(const PixelView& pixels, double tangent) {
  check_tangent(tangent);
  warp(pixels, {.xy = tangent, .x0 = tangent * static_cast<double>(pixels.height) / 2});
}

void shear_y(const PixelView& pixels, double tangent) {
  check_tangent(tangent);
  warp(pixels, {.yx = tangent, .y0 = tangent * static_cast<double>(pixels.width) / 2});
}

void translate(const PixelView& pixels, std::int64_t dx, std::int64_t dy) {
  const auto right = std::clamp(dx, -pixels.width, pixels.width);
  const auto down = std::clamp(dy, -pixels.height, pixels.height);
  warp(pixels, {.x0 = -static_cast<double>(right), .y0 = -static_cast<double>(down)});
}

void rotate(const PixelView& pixels, double degrees) {
  if (!std::isfinite(degrees)) throw Error(fmt::format("cannot rotate a picture by {} degrees", degrees));
  const double angle = degrees * std::numbers::pi / 180;
  const double cosine = std::cos(angle);
  const double sine = std::sin(angle);
  warp(pixels, {.xx = cosine, .xy = -sine, .yx = sine, .yy = cosine});
}

}  // namespace actionclip
