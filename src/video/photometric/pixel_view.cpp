#include <fmt/format.h>

#include "actionclip/core/error.h"
#include "actionclip/video/pixel_operations.h"

namespace actionclip {

PixelView view_of(Image& image) {
  if (image.width < 1 || image.height < 1 ||
      static_cast<std::int64_t>(image.rgb.size()) != 3 * image.width * image.height) {
    throw VideoError(
        fmt::format("a frame of {}x{} pixels has {} bytes", image.width, image.height, image.rgb.size()));
  }
  return {
      .data = image.rgb.data(), .width = image.width, .height = image.height, .layout = PixelLayout::packed};
}

}  // namespace actionclip
