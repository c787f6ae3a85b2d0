// A decoded frame: 8-bit RGB, rows top to bottom, three bytes a pixel, no padding.
#pragma once

#include <cstdint>
#include <vector>

namespace actionclip {

// Images and frames with more pixels are refused: a clip of them would take more memory than a machine has to
// spare.
inline constexpr std::int64_t kMaxImagePixels = 64 << 20;

struct Image {
  std::int64_t width = 0;
  std::int64_t height = 0;
  std::vector<std::uint8_t> rgb;  // [height, width, 3]
};

// Where the three planes of a picture of bytes lie; the pixels of a row follow each other.
struct PlanarView {
  std::uint8_t* data = nullptr;
  std::int64_t row_stride = 0;
  std::int64_t plane_stride = 0;
};

}  // namespace actionclip
