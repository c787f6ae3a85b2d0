// Crop, antialiased resize, crop, mirror image and planes in one go, by Pillow's algorithm: weights of 22
// bits, first along the rows, bytes in between, then along the columns. (Pillow 13 takes the columns first
// where the height shrinks much more than the width; the method's results are older.) Integers alone,
// side by side in memory as vectors want them. One thread; nothing is computed that is not asked for.
#pragma once

#include <cstdint>
#include <vector>

#include "actionclip/video/augmentation.h"
#include "actionclip/video/config.h"
#include "actionclip/video/image.h"

#include "video/resample_weights.h"

namespace actionclip {

// For many images of one size, one after the other. The very bytes of Pillow's resize.
class Resampler {
 public:
  // Cuts `box` out of an image (its `flip` is not looked at), resizes that to `to`, and writes the rectangle
  // `part` of it, mirrored if part.flip. `part` must lie in `to`.
  Resampler(const CropChoice& box, Size to, const CropChoice& part, Interpolation interpolation);

  // `box` must lie in the image. Writes part.width x part.height pixels.
  void run(const Image& image, const PlanarView& out);

 private:
  struct Range {  // of the pixels of the box that are needed
    std::int64_t begin = 0;
    std::int64_t count = 0;
  };
  static Range needed(const ResampleWeights& weights, std::int64_t from);

  void spread_band(const Image& image, std::int64_t first_row);
  void narrow_band(std::int64_t first_row);
  void combine_rows(const PlanarView& out);

  CropChoice box_;
  CropChoice part_;
  ResampleWeights x_weights_;
  ResampleWeights y_weights_;
  Range columns_;
  Range rows_;
  std::int64_t plane_bytes_;                  // of a plane of a row of `part`, padded
  std::int64_t row_bytes_;                    // of all three, padded
  std::vector<std::uint8_t> band_;            // [columns, 3, kBandRows]: rows of the box, lying
  std::vector<std::uint8_t> narrow_;          // [rows, padded; row_bytes_]: the rows at their new width
  std::vector<std::uint8_t> line_;            // [row_bytes_]
  std::vector<const std::uint8_t*> sources_;  // of the taps of a pixel
};

}  // namespace actionclip
