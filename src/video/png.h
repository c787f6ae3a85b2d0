// PNG files, by FFmpeg's decoder.
#pragma once

#include "actionclip/video/image.h"

#include "video/regular_file.h"

namespace actionclip {

// Whether `file` starts as a PNG does; leaves it at its start. Throws VideoError if it cannot be read.
bool is_png(RegularFile& file);

// Decodes `file`, which stands at its start: grey, colour or palette; of 16 bits, the upper 8; without its
// transparency, as Pillow's convert("RGB"). Of an animation: its first image. Throws as read_image() does.
Image read_png(RegularFile& file);

}  // namespace actionclip
