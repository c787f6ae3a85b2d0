#include "actionclip/video/augmentation.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include <fmt/format.h>

#include "actionclip/core/error.h"

namespace actionclip {
namespace {

struct QuarterSteps {
  std::int64_t x;
  std::int64_t y;
};

constexpr std::array<QuarterSteps, 13> kCropPlaces{{
    {0, 0},
    {4, 0},
    {0, 4},
    {4, 4},  // corners
    {2, 2},  // centre
    {0, 2},
    {4, 2},
    {2, 0},
    {2, 4},  // middles of the sides
    {1, 1},
    {3, 1},
    {1, 3},
    {3, 3},  // between corners and centre
}};

constexpr std::int64_t kSnapDistance = 3;

void check_frame(std::int64_t width, std::int64_t height) {
  if (width < 1 || height < 1) throw Error(fmt::format("cannot crop a frame of {}x{} pixels", width, height));
}

// (whole - part) / 2, halves to even.
std::int64_t centred(std::int64_t whole, std::int64_t part) {
  const auto space = whole - part;
  return space / 2 + (space % 4 == 3 ? 1 : 0);
}

}  // namespace

std::vector<Size> multi_scale_crop_sizes(std::int64_t width, std::int64_t height, std::int64_t input_size,
                                         std::span<const double> scales) {
  check_frame(width, height);
  const auto short_side = std::min(width, height);
  std::vector<std::int64_t> sides;
  for (const double scale : scales) {
    if (!(scale > 0 && scale <= 1)) throw Error(fmt::format("crop scale {} is not in (0, 1]", scale));
    const auto side =
        std::max<std::int64_t>(1, static_cast<std::int64_t>(static_cast<double>(short_side) * scale));
    const bool snaps = std::abs(side - input_size) < kSnapDistance && input_size <= short_side;
    sides.push_back(snaps ? input_size : side);
  }
  std::vector<Size> sizes;
  const auto count = static_cast<std::int64_t>(sides.size());
  for (std::int64_t row = 0; row < count; ++row) {
    for (std::int64_t column = std::max<std::int64_t>(0, row - 1); column <= std::min(row + 1, count - 1);
         ++column) {
      sizes.push_back({.width = sides[column], .height = sides[row]});
    }
  }
  return sizes;
}

CropChoice choose_crop(std::int64_t width, std::int64_t height, std::int64_t input_size,
                       std::span<const double> scales, double flip_probability, RandomStream& random) {
  if (scales.empty()) throw Error("a multi-scale crop needs at least one scale");
  const auto sizes = multi_scale_crop_sizes(width, height, input_size, scales);
  const auto size = sizes[random.below(static_cast<std::int64_t>(sizes.size()))];
  const auto place = kCropPlaces[random.below(kCropPlaces.size())];
  return {.x = place.x * ((width - size.width) / 4),
          .y = place.y * ((height - size.height) / 4),
          .width = size.width,
          .height = size.height,
          .flip = random.chance(flip_probability)};
}

Size resized_size(std::int64_t width, std::int64_t height, std::int64_t short_side) {
  check_frame(width, height);
  if (short_side < 1) throw Error(fmt::format("cannot resize a frame's short side to {} pixels", short_side));
  if (width <= height) return {.width = short_side, .height = short_side * height / width};
  return {.width = short_side * width / height, .height = short_side};
}

std::vector<CropChoice> test_crops(std::int64_t width, std::int64_t height, std::int64_t input_size,
                                   std::int64_t crops) {
  if (crops != 1 && crops != 3) throw Error(fmt::format("{} crops of a view: 1 or 3 are possible", crops));
  if (input_size < 1 || width < input_size || height < input_size) {
    throw Error(fmt::format("a test crop of {0}x{0} does not fit into a frame of {1}x{2}", input_size, width,
                            height));
  }
  const auto x = centred(width, input_size);
  const auto y = centred(height, input_size);
  const CropChoice centre{.x = x, .y = y, .width = input_size, .height = input_size, .flip = false};
  if (crops == 1) return {centre};
  CropChoice begin = centre;
  CropChoice end = centre;
  if (width >= height) {
    begin.x = 0;
    end.x = width - input_size;
  } else {
    begin.y = 0;
    end.y = height - input_size;
  }
  return {begin, centre, end};
}

}  // namespace actionclip
