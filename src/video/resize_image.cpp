#include "video/resize_image.h"

#include <cstddef>
#include <vector>

#include <fmt/format.h>

#include "actionclip/core/error.h"
#include "actionclip/video/augmentation.h"

#include "video/resampler.h"

namespace actionclip {

Image resize_short_side(const Image& image, std::int64_t short_side) {
  const auto size = resized_size(image.width, image.height, short_side);
  if (size.width * size.height > kMaxImagePixels) {
    throw VideoError(fmt::format("a frame of {}x{} pixels is too long and thin", image.width, image.height));
  }
  const CropChoice all{.x = 0, .y = 0, .width = image.width, .height = image.height, .flip = false};
  const CropChoice whole{.x = 0, .y = 0, .width = size.width, .height = size.height, .flip = false};
  const std::int64_t area = size.width * size.height;
  std::vector<std::uint8_t> planes(static_cast<std::size_t>(3 * area));
  Resampler(all, size, whole, Interpolation::bicubic).run(image, {planes.data(), size.width, area});
  Image resized{size.width, size.height, std::vector<std::uint8_t>(planes.size())};
  for (std::int64_t i = 0; i < area; ++i) {
    for (std::int64_t c = 0; c < 3; ++c) {
      resized.rgb[static_cast<std::size_t>(3 * i + c)] = planes[static_cast<std::size_t>(c * area + i)];
    }
  }
  return resized;
}

}  // namespace actionclip
