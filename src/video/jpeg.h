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
  // Resized, it then differs from the full image, resized, by 0.5 to 1.5 of 255 on average (photographs of
  // qualities 75 to 95: 42 to 50 dB; single values by up to 12).
  Image read(RegularFile& file, std::int64_t resize_to = 0);

 private:
  struct Destroy {
    void operator()(void* turbo) const;
  };
  std::unique_ptr<void, Destroy> turbo_;
};

}  // namespace actionclip
