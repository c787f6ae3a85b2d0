// Still images: reading and writing files.
#pragma once

#include <filesystem>
#include <string>

#include "actionclip/video/image.h"

namespace actionclip {

// A JPEG, PNG, WebP or BMP file; the content decides which, not the name. Of anything with more frames (a
// GIF, a video): the first. An orientation in EXIF data is ignored, as in the frame folders that training
// data come in; alpha is dropped. A PNG of 16 bits gives the upper 8. Throws VideoError (path and
// reason): not an image, damaged, or larger than 64 Mi pixels. An image that ends early is damaged.
Image read_image(const std::filesystem::path& path);

// `image` as the bytes of a JPEG of `quality` 1 to 100 (4:2:0; 4:4:4 from 90 on). Throws Error if the library
// refuses it, as it does more than 65,500 pixels a side.
std::string encode_jpeg(const Image& image, int quality);

// Writes these bytes. Throws Error if the file cannot be written.
void write_jpeg(const std::filesystem::path& path, const Image& image, int quality);

}  // namespace actionclip
