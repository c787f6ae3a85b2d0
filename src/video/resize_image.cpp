#include "video/resize_image.h"

#include <array>

#include <ATen/ops/_upsample_bicubic2d_aa.h>
#include <ATen/ops/from_blob.h>
#include <fmt/format.h>

#include "actionclip/core/error.h"
#include "actionclip/video/augmentation.h"

namespace actionclip {

Image resize_short_side(const Image& image, std::int64_t short_side) {
  const auto size = resized_size(image.width, image.height, short_side);
  if (size.width * size.height > kMaxImagePixels) {
    throw VideoError(fmt::format("a frame of {}x{} pixels is too long and thin", image.width, image.height));
  }
  // Rows of RGB triples: [1, 3, height, width] in channels-last order.
  const auto input =
      at::from_blob(const_cast<std::uint8_t*>(image.rgb.data()), {1, 3, image.height, image.width},
                    {3 * image.width * image.height, 1, 3 * image.width, 3}, at::kByte);
  const std::array<std::int64_t, 2> shape{size.height, size.width};
  const auto output =
      at::_upsample_bicubic2d_aa(input, shape, false).contiguous(at::MemoryFormat::ChannelsLast);
  const auto* rgb = output.const_data_ptr<std::uint8_t>();
  return {size.width, size.height, {rgb, rgb + output.numel()}};
}

}  // namespace actionclip
