#include "actionclip/video/augmentation.h"

#include <algorithm>
#include <array>
#include <cmath>
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

CropChoice centred_crop(Size frame, Size crop) {
  return {.x = centred(frame.width, crop.width),
          .y = centred(frame.height, crop.height),
          .width = crop.width,
          .height = crop.height,
          .flip = false};
}

CropChoice multi_scale_crop(Size frame, const TransformConfig& config, RandomStream& random) {
  if (config.scales.empty()) throw Error("a multi-scale crop needs at least one scale");
  const auto sizes = multi_scale_crop_sizes(frame.width, frame.height, config.input_size, config.scales);
  const auto size = sizes[random.below(static_cast<std::int64_t>(sizes.size()))];
  const auto place = kCropPlaces[random.below(kCropPlaces.size())];
  return {.x = place.x * ((frame.width - size.width) / 4),
          .y = place.y * ((frame.height - size.height) / 4),
          .width = size.width,
          .height = size.height,
          .flip = false};
}

// To the nearest whole number, halves to even, as Python's round().
std::int64_t nearest(double value) { return static_cast<std::int64_t>(std::nearbyint(value)); }

// The largest crop in the middle whose width / height lies in `aspect`.
CropChoice largest_crop(Size frame, const std::vector<double>& aspect) {
  const auto width = static_cast<double>(frame.width);
  const auto height = static_cast<double>(frame.height);
  Size size = frame;
  if (width / height < aspect[0]) size.height = std::max<std::int64_t>(1, nearest(width / aspect[0]));
  if (width / height > aspect[1]) size.width = std::max<std::int64_t>(1, nearest(height * aspect[1]));
  // torchvision rounds this centre down.
  return {.x = (frame.width - size.width) / 2,
          .y = (frame.height - size.height) / 2,
          .width = size.width,
          .height = size.height,
          .flip = false};
}

CropChoice random_resized_crop(Size frame, const TransformConfig& config, RandomStream& random) {
  constexpr int kTries = 10;
  const auto frame_area = static_cast<double>(frame.width) * static_cast<double>(frame.height);
  for (int i = 0; i < kTries; ++i) {
    const double area = frame_area * random.uniform(config.area[0], config.area[1]);
    const double aspect = std::exp(random.uniform(std::log(config.aspect[0]), std::log(config.aspect[1])));
    const Size size{.width = nearest(std::sqrt(area * aspect)), .height = nearest(std::sqrt(area / aspect))};
    if (size.width < 1 || size.width > frame.width || size.height < 1 || size.height > frame.height) continue;
    const auto y = random.below(frame.height - size.height + 1);
    const auto x = random.below(frame.width - size.width + 1);
    return {.x = x, .y = y, .width = size.width, .height = size.height, .flip = false};
  }
  return largest_crop(frame, config.aspect);
}

struct Range {
  std::int64_t begin;
  std::int64_t count;
};

// The pixels of a line of `from` that the pixels begin .. begin + count - 1 are made of, once it is resized
// to `to` (bicubic).
Range sources_of(std::int64_t begin, std::int64_t count, std::int64_t to, std::int64_t from) {
  if (from == to) return {begin, count};
  constexpr double kRadius = 2;  // of the filter
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  const double reach = kRadius * std::max(scale, 1.0) + 1;
  const double first = (static_cast<double>(begin) + 0.5) * scale - reach;
  const double last = (static_cast<double>(begin + count) - 0.5) * scale + reach;
  const auto low = std::max<std::int64_t>(0, static_cast<std::int64_t>(std::floor(first)));
  const auto high = std::min(from, static_cast<std::int64_t>(std::ceil(last)));
  return {low, high - low};
}

// The crop of the mirrored frame that lies where `crop` lies in the frame.
CropChoice in_mirrored_frame(CropChoice crop, std::int64_t frame_width) {
  crop.x = frame_width - crop.width - crop.x;
  crop.flip = true;
  return crop;
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

CropChoice choose_crop(std::int64_t width, std::int64_t height, const TransformConfig& config,
                       RandomStream& random) {
  check_frame(width, height);
  const Size frame{.width = width, .height = height};
  auto crop = config.crop == CropKind::multi_scale ? multi_scale_crop(frame, config, random)
                                                   : random_resized_crop(frame, config, random);
  crop.flip = random.chance(config.flip);
  return crop;
}

Size resized_size(std::int64_t width, std::int64_t height, std::int64_t short_side) {
  check_frame(width, height);
  if (short_side < 1) throw Error(fmt::format("cannot resize a frame's short side to {} pixels", short_side));
  if (width <= height) return {.width = short_side, .height = short_side * height / width};
  return {.width = short_side * width / height, .height = short_side};
}

bool is_crop_count(std::int64_t crops) { return crops == 1 || crops == 3 || crops == 5 || crops == 10; }

std::vector<CropChoice> test_crops(std::int64_t width, std::int64_t height, std::int64_t input_size,
                                   std::int64_t crops) {
  if (!is_crop_count(crops)) {
    throw Error(fmt::format("{} crops of a view: 1, 3, 5 or 10 are possible", crops));
  }
  if (input_size < 1 || width < input_size || height < input_size) {
    throw Error(fmt::format("a test crop of {0}x{0} does not fit into a frame of {1}x{2}", input_size, width,
                            height));
  }
  const auto centre = centred_crop({width, height}, {input_size, input_size});
  const auto right = width - input_size;
  const auto bottom = height - input_size;
  const auto at = [&](std::int64_t x, std::int64_t y) {
    return CropChoice{.x = x, .y = y, .width = input_size, .height = input_size, .flip = false};
  };
  if (crops == 1) return {centre};
  if (crops == 3 && width >= height) return {at(0, centre.y), centre, at(right, centre.y)};
  if (crops == 3) return {at(centre.x, 0), centre, at(centre.x, bottom)};
  std::vector<CropChoice> choices{at(0, 0), at(right, 0), at(0, bottom), at(right, bottom), centre};
  for (std::size_t i = 0; crops == 10 && i < 5; ++i) choices.push_back(in_mirrored_frame(choices[i], width));
  return choices;
}

CropChoice smallest_around(std::span<const CropChoice> crops) {
  CropChoice around = crops.front();
  for (const auto& crop : crops) {
    const auto right = std::max(around.x + around.width, crop.x + crop.width);
    const auto bottom = std::max(around.y + around.height, crop.y + crop.height);
    around.x = std::min(around.x, crop.x);
    around.y = std::min(around.y, crop.y);
    around.width = right - around.x;
    around.height = bottom - around.y;
  }
  around.flip = false;
  return around;
}

CropChoice seen_part(Size frame, const TestView& view) {
  const CropChoice whole{.x = 0, .y = 0, .width = frame.width, .height = frame.height, .flip = false};
  if (view.resize < 1) return whole;
  const auto size = resized_size(frame.width, frame.height, view.resize);
  if (view.input_size < 1 || view.input_size > view.resize || !is_crop_count(view.crops)) return whole;
  const auto part = smallest_around(test_crops(size.width, size.height, view.input_size, view.crops));
  const auto [x, width] = sources_of(part.x, part.width, size.width, frame.width);
  const auto [y, height] = sources_of(part.y, part.height, size.height, frame.height);
  return {.x = x, .y = y, .width = width, .height = height, .flip = false};
}

}  // namespace actionclip
