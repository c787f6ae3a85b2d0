// Operations in which a pixel's new value depends on the pixels around it.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "actionclip/core/error.h"
#include "actionclip/video/pixel_operations.h"

#include "video/photometric/planes.h"

namespace actionclip {
namespace {

// A row between two others, bytes [step, size - step): the kernel is (1 1 1; 1 5 1; 1 1 1) / 13, rounded.
void sharpen_row(const std::uint8_t* above, const std::uint8_t* row, const std::uint8_t* below,
                 std::int64_t step, std::int64_t size, float factor, std::uint8_t* __restrict__ out) {
  const float rest = 1.0F - factor;
  for (std::int64_t i = step; i < size - step; ++i) {
    const int sum = above[i - step] + above[i] + above[i + step] + row[i - step] + 5 * row[i] +
                    row[i + step] + below[i - step] + below[i] + below[i + step];
    // Halves do not occur: 13 is odd.
    const int smooth = static_cast<int>((static_cast<float>(sum) + 6.5F) * (1.0F / 13.0F));
    out[i] = detail::to_byte(factor * static_cast<float>(row[i]) + rest * static_cast<float>(smooth));
  }
}

template <typename Plane>
void sharpen(const Plane& plane, float factor) {
  const auto size = plane.row_bytes();
  std::vector<std::uint8_t> above(plane.row(0), plane.row(0) + size);
  std::vector<std::uint8_t> row(size);
  for (std::int64_t y = 1; y < plane.height - 1; ++y) {
    std::copy_n(plane.row(y), size, row.data());
    sharpen_row(above.data(), row.data(), plane.row(y + 1), Plane::kPixelBytes, size, factor, plane.row(y));
    std::swap(above, row);
  }
}

// Index of the pixel that stands for `i` outside [0, count): mirrored at the border pixels, as often as
// needed.
std::int64_t reflected(std::int64_t i, std::int64_t count) {
  if (count == 1) return 0;
  const auto period = 2 * (count - 1);
  const auto place = std::abs(i) % period;
  return std::min(place, period - place);
}

// The middle of the kernel and what lies to one side of it.
std::vector<float> half_gaussian(double sigma) {
  const auto radius = static_cast<int>(std::ceil(3 * sigma));
  std::vector<float> kernel;
  double sum = 0;
  for (int i = 0; i <= radius; ++i) {
    kernel.push_back(static_cast<float>(std::exp(-0.5 * i * i / (sigma * sigma))));
    sum += (i == 0 ? 1 : 2) * kernel.back();
  }
  for (auto& weight : kernel) weight = static_cast<float>(weight / sum);
  return kernel;
}

// Adds weight * (a + b), element by element.
template <typename Value>
void add_weighted(const Value* a, const Value* b, float weight, std::int64_t count,
                  float* __restrict__ sums) {
  for (std::int64_t i = 0; i < count; ++i) sums[i] += weight * static_cast<float>(a[i] + b[i]);
}

template <typename Plane>
void blur(const Plane& plane, const std::vector<float>& kernel) {
  constexpr auto kStep = Plane::kPixelBytes;
  const auto size = plane.row_bytes();
  const auto radius = static_cast<std::int64_t>(kernel.size()) - 1;
  const std::vector<std::uint8_t> source(plane.data, plane.data + plane.bytes());
  const auto source_row = [&](std::int64_t y) { return source.data() + reflected(y, plane.height) * size; };
  // A row blurred down the columns, with the pixels beyond its ends, then along itself.
  std::vector<float> column_sums(size + 2 * radius * kStep);
  std::vector<float> sums(size);
  float* const columns = column_sums.data() + radius * kStep;
  for (std::int64_t y = 0; y < plane.height; ++y) {
    std::fill_n(columns, size, 0.0F);
    add_weighted(source_row(y), source_row(y), kernel[0] / 2, size, columns);
    for (std::int64_t k = 1; k <= radius; ++k) {
      add_weighted(source_row(y - k), source_row(y + k), kernel[k], size, columns);
    }
    for (std::int64_t k = 1; k <= radius; ++k) {
      std::copy_n(columns + reflected(-k, plane.width) * kStep, kStep, columns - k * kStep);
      std::copy_n(columns + reflected(plane.width - 1 + k, plane.width) * kStep, kStep,
                  columns + (plane.width - 1 + k) * kStep);
    }
    std::ranges::fill(sums, 0.5F);  // the bytes are rounded to the nearest
    add_weighted(columns, columns, kernel[0] / 2, size, sums.data());
    for (std::int64_t k = 1; k <= radius; ++k) {
      add_weighted(columns - k * kStep, columns + k * kStep, kernel[k], size, sums.data());
    }
    std::ranges::transform(sums, plane.row(y), detail::to_byte);
  }
}

}  // namespace

void adjust_sharpness(const PixelView& pixels, double factor) {
  if (!(factor >= 0)) throw Error(fmt::format("a factor of sharpness is at least 0, not {}", factor));
  if (pixels.width <= 2 || pixels.height <= 2) return;  // all pixels lie at the border, which stays
  detail::for_each_plane(pixels, [&](const auto& plane) { sharpen(plane, static_cast<float>(factor)); });
}

void gaussian_blur(const PixelView& pixels, double sigma) {
  if (!(sigma > 0 && sigma <= kMaxBlurSigma)) {
    throw Error(
        fmt::format("a blur's sigma is greater than 0 and at most {} pixels, not {}", kMaxBlurSigma, sigma));
  }
  const auto kernel = half_gaussian(sigma);
  detail::for_each_plane(pixels, [&](const auto& plane) { blur(plane, kernel); });
}

}  // namespace actionclip
