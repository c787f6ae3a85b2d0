// Still images one after the other.
#pragma once

#include <filesystem>

#include "actionclip/video/augmentation.h"
#include "actionclip/video/image.h"

#include "video/jpeg.h"

namespace actionclip {

// Keeps what decoding needs from one image to the next; for one thread.
class ImageReader {
 public:
  // As read_image(); `view` as in JpegReader::read().
  Image read(const std::filesystem::path& path, const TestView& view = {});

 private:
  JpegReader jpeg_;
};

}  // namespace actionclip
