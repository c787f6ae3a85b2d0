// JPEG files, by libjpeg-turbo.
#pragma once

#include <memory>

#include "actionclip/video/augmentation.h"
#include "actionclip/video/image.h"

#include "video/regular_file.h"

namespace actionclip {

// Whether `file` starts as a JPEG does; leaves it at its start. Throws VideoError if it cannot be read.
bool is_jpeg(RegularFile& file);

// Keeps the library's decoder from one image to the next.
class JpegReader {
 public:
  JpegReader();
  ~JpegReader();

  // Decodes `file`, which stands at its start. Throws as read_image() does.
  // What `view` does not look at stays black, though damage there is noticed too. The image may come 2, 4 or
  // 8 times smaller, out of a smaller inverse cosine transform: if both its sides are multiples of that, so
  // that no pixel is shifted, and its short side stays at least twice view.resize. Resized, it then differs
  // from the full image, resized, by 0.5 to 1.5 of 255 on average (photographs of qualities 75 to 95: 42 to
  // 50 dB; single values by up to 12).
  Image read(RegularFile& file, const TestView& view = {});

 private:
  struct Decoder;
  std::unique_ptr<Decoder> decoder_;
};

}  // namespace actionclip
