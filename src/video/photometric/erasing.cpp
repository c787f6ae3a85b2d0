#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

#include <fmt/format.h>

#include "actionclip/core/error.h"
#include "actionclip/video/photometric.h"

namespace actionclip {
namespace {

constexpr double kMaxByte = 255;
constexpr int kTries = 10;

// `color_at(i)` is the colour of the rectangle's i-th pixel, row by row.
template <typename ColorAt>
void paint(const PixelView& pixels, const Rectangle& area, ColorAt&& color_at) {
  if (area.x < 0 || area.y < 0 || area.width < 0 || area.height < 0 || area.x + area.width > pixels.width ||
      area.y + area.height > pixels.height) {
    throw Error(fmt::format("the rectangle {}x{} at ({}, {}) does not lie in a picture of {}x{} pixels",
                            area.width, area.height, area.x, area.y, pixels.width, pixels.height));
  }
  const bool packed = pixels.layout == PixelLayout::packed;
  const auto next_pixel = packed ? 3 : 1;
  const auto next_channel = packed ? 1 : pixels.area();
  std::int64_t i = 0;
  for (std::int64_t y = area.y; y < area.y + area.height; ++y) {
    auto* pixel = pixels.data + (y * pixels.width + area.x) * next_pixel;
    for (std::int64_t x = 0; x < area.width; ++x, pixel += next_pixel) {
      const Color& color = color_at(i++);
      for (std::int64_t channel = 0; channel < 3; ++channel) pixel[channel * next_channel] = color[channel];
    }
  }
}

// Smaller than the frame in both directions, or none.
std::optional<Rectangle> draw_rectangle(const ErasingConfig& config, std::int64_t width, std::int64_t height,
                                        RandomStream& random) {
  for (int i = 0; i < kTries; ++i) {
    const double area = static_cast<double>(width * height) * random.uniform(config.area[0], config.area[1]);
    const double aspect = std::exp(random.uniform(std::log(config.aspect[0]), std::log(config.aspect[1])));
    const auto w = std::llround(std::sqrt(area * aspect));
    const auto h = std::llround(std::sqrt(area / aspect));
    if (w >= width || h >= height) continue;
    Rectangle rectangle{.width = w, .height = h};
    rectangle.x = random.below(width - w + 1);
    rectangle.y = random.below(height - h + 1);
    return rectangle;
  }
  return std::nullopt;
}

// Of a value on the scale from 0 to 1.
std::uint8_t byte_of(double value) {
  return static_cast<std::uint8_t>(std::lround(std::clamp(kMaxByte * value, 0.0, kMaxByte)));
}

Color mean_color(const InputStatistics& input) {
  return {byte_of(input.mean[0]), byte_of(input.mean[1]), byte_of(input.mean[2])};
}

Color draw_color_of_noise(const InputStatistics& input, RandomStream& random) {
  Color color{};
  for (std::size_t channel = 0; channel < color.size(); ++channel) {
    color[channel] = byte_of(input.mean[channel] + input.std[channel] * random.normal());
  }
  return color;
}

}  // namespace

void erase(const PixelView& pixels, const Rectangle& rectangle, const Color& color) {
  paint(pixels, rectangle, [&](std::int64_t) -> const Color& { return color; });
}

void erase(const PixelView& pixels, const Rectangle& rectangle, std::span<const Color> colors) {
  if (static_cast<std::int64_t>(colors.size()) != rectangle.width * rectangle.height) {
    throw Error(fmt::format("{} colours for a rectangle of {}x{} pixels", colors.size(), rectangle.width,
                            rectangle.height));
  }
  paint(pixels, rectangle, [&](std::int64_t i) -> const Color& { return colors[i]; });
}

std::optional<DrawnErasing> draw_erasing(const ErasingConfig& config, const InputStatistics& input,
                                         std::int64_t width, std::int64_t height, RandomStream& random) {
  if (!random.chance(config.probability)) return std::nullopt;
  const auto rectangle = draw_rectangle(config, width, height, random);
  if (!rectangle) return std::nullopt;
  DrawnErasing drawn{.rectangle = *rectangle, .colors = {}};
  if (!config.noise) {
    drawn.colors = {mean_color(input)};
    return drawn;
  }
  const auto pixels = rectangle->width * rectangle->height;
  drawn.colors.reserve(static_cast<std::size_t>(pixels));
  for (std::int64_t i = 0; i < pixels; ++i) drawn.colors.push_back(draw_color_of_noise(input, random));
  return drawn;
}

void apply(const DrawnErasing& drawn, const ClipView& clip) {
  for (std::int64_t t = 0; t < clip.frames; ++t) {
    if (drawn.colors.size() == 1) {
      erase(clip.frame(t), drawn.rectangle, drawn.colors.front());
    } else {
      erase(clip.frame(t), drawn.rectangle, drawn.colors);
    }
  }
}

}  // namespace actionclip
