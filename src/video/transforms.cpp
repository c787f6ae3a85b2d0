#include "actionclip/video/transforms.h"

#include <algorithm>
#include <array>
#include <vector>

#include <ATen/ops/_upsample_bicubic2d_aa.h>
#include <ATen/ops/_upsample_bilinear2d_aa.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <fmt/format.h>

#include "actionclip/core/error.h"

namespace actionclip {
namespace {

constexpr std::int64_t kMaxResizedPixels = 64 << 20;

enum class Resampling { bilinear, bicubic };

// Antialiased. Pixels in and out are rows of RGB triples: [1, 3, height, width] in channels-last order.
at::Tensor resize(const std::uint8_t* rgb, Size from, Size to, Resampling resampling) {
  const auto input = at::from_blob(const_cast<std::uint8_t*>(rgb), {1, 3, from.height, from.width},
                                   {3 * from.width * from.height, 1, 3 * from.width, 3}, at::kByte);
  const std::array<std::int64_t, 2> size{to.height, to.width};
  const auto output = resampling == Resampling::bilinear ? at::_upsample_bilinear2d_aa(input, size, false)
                                                         : at::_upsample_bicubic2d_aa(input, size, false);
  return output.contiguous(at::MemoryFormat::ChannelsLast);
}

// Copies the square at (x, y) of rows of RGB triples, `width` pixels a row, to three planes. By hand:
// at::Tensor::copy_ would start OpenMP threads in each loader worker, and flipping first would be another
// copy.
void write_planes(const std::uint8_t* rgb, std::int64_t width, std::int64_t x, std::int64_t y, bool flip,
                  const at::Tensor& out) {
  const auto side = out.size(-1);
  auto* plane = out.mutable_data_ptr<std::uint8_t>();
  const auto area = side * side;
  for (std::int64_t row = 0; row < side; ++row) {
    const auto* pixel = rgb + 3 * ((y + row) * width + x);
    const std::int64_t step = flip ? -3 : 3;
    if (flip) pixel += 3 * (side - 1);
    for (std::int64_t column = 0; column < side; ++column, pixel += step, ++plane) {
      plane[0] = pixel[0];
      plane[area] = pixel[1];
      plane[2 * area] = pixel[2];
    }
  }
}

// The rows of the chosen rectangle, packed.
std::vector<std::uint8_t> cut_out(const Image& image, const CropChoice& choice) {
  std::vector<std::uint8_t> rgb(3 * choice.width * choice.height);
  for (std::int64_t row = 0; row < choice.height; ++row) {
    const auto* from = image.rgb.data() + 3 * ((choice.y + row) * image.width + choice.x);
    std::copy_n(from, 3 * choice.width, rgb.data() + 3 * row * choice.width);
  }
  return rgb;
}

void check_image(const Image& image) {
  if (image.width < 1 || image.height < 1 ||
      static_cast<std::int64_t>(image.rgb.size()) != 3 * image.width * image.height) {
    throw VideoError(
        fmt::format("a frame of {}x{} pixels has {} bytes", image.width, image.height, image.rgb.size()));
  }
}

}  // namespace

void transform_training_frame(const Image& image, const CropChoice& choice, const at::Tensor& out) {
  check_image(image);
  if (choice.x < 0 || choice.y < 0 || choice.width < 1 || choice.height < 1 ||
      choice.x + choice.width > image.width || choice.y + choice.height > image.height) {
    throw VideoError(fmt::format("the crop {}x{} at ({}, {}) does not lie in a frame of {}x{} pixels",
                                 choice.width, choice.height, choice.x, choice.y, image.width, image.height));
  }
  const auto side = out.size(-1);
  if (choice.width == side && choice.height == side) {
    write_planes(image.rgb.data(), image.width, choice.x, choice.y, choice.flip, out);
    return;
  }
  const auto crop = cut_out(image, choice);
  const auto resized = resize(crop.data(), {choice.width, choice.height}, {side, side}, Resampling::bilinear);
  write_planes(resized.const_data_ptr<std::uint8_t>(), side, 0, 0, choice.flip, out);
}

void transform_test_frame(const Image& image, std::int64_t resize_to, const at::Tensor& out, bool flip) {
  check_image(image);
  const auto size = resized_size(image.width, image.height, resize_to);
  // A frame one pixel high would grow to gigabytes.
  if (size.width * size.height > kMaxResizedPixels) {
    throw VideoError(fmt::format("a frame of {}x{} pixels is too long and thin", image.width, image.height));
  }
  const auto crops = test_crops(size.width, size.height, out.size(-1), out.size(0));
  at::Tensor resized;
  const auto* rgb = image.rgb.data();
  if (size.width != image.width || size.height != image.height) {
    resized = resize(rgb, {image.width, image.height}, size, Resampling::bicubic);
    rgb = resized.const_data_ptr<std::uint8_t>();
  }
  for (std::size_t i = 0; i < crops.size(); ++i) {
    write_planes(rgb, size.width, crops[i].x, crops[i].y, flip, out[static_cast<std::int64_t>(i)]);
  }
}

at::Tensor train_transform(std::span<const Image> images, const CropChoice& choice, std::int64_t input_size) {
  const auto count = static_cast<std::int64_t>(images.size());
  const auto clip = at::empty({count, 3, input_size, input_size}, at::kByte);
  for (std::int64_t i = 0; i < count; ++i) transform_training_frame(images[i], choice, clip[i]);
  return clip;
}

at::Tensor test_transform(std::span<const Image> images, std::int64_t resize, std::int64_t input_size,
                          std::int64_t crops) {
  const auto count = static_cast<std::int64_t>(images.size());
  const auto views = at::empty({crops, count, 3, input_size, input_size}, at::kByte);
  for (std::int64_t i = 0; i < count; ++i) transform_test_frame(images[i], resize, views.select(1, i));
  return views;
}

}  // namespace actionclip
