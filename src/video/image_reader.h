// Still images one after the other.
#pragma once

#include <cstdint>
#include <filesystem>

#include "actionclip/video/image.h"

#include "video/jpeg.h"

namespace actionclip {

// Keeps what decoding needs from one image to the next; for one thread.
class ImageReader {
 public:
  // As read_image(); `resize_to` as in JpegReader::read().
  Image read(const std::filesystem::path& path, std::int64_t resize_to = 0);

 private:
  JpegReader jpeg_;
};

}  // namespace actionclip
