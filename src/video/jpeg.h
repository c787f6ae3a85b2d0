// JPEG files, by libjpeg-turbo.
#pragma once

#include <cstdint>
#include <memory>

#include "actionclip/video/image.h"

#include "video/regular_file.h"

namespace actionclip {

// Whether `file` starts as a JPEG does; leaves it at its start. Throws VideoError if it cannot be read.
bool is_jpeg(RegularFile& file);

// Keeps the library's decoder from one image to the next.
class JpegReader {
 public:
  // Decodes `file`, which stands at its start. Throws as read_image() does.
  // `resize_to`: the short side that the image is to be resized to; 0: not known. If it is known, the image
  // may come 2, 4 or 8 times smaller, out of a smaller inverse cosine transform: if both its sides are
  // multiples of that, so that no pixel is shifted, and its short side stays at least twice `resize_to`.
  // Resized, it then differs from the full image, resized, by less than 1 of 255 on average (0.5 to 0.9 for
  // photographs of quality 90; single pixels by up to 12).
  Image read(RegularFile& file, std::int64_t resize_to = 0);

 private:
  struct Destroy {
    void operator()(void* turbo) const;
  };
  std::unique_ptr<void, Destroy> turbo_;
};

}  // namespace actionclip
