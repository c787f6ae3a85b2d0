// JPEG files, by libjpeg-turbo.
#pragma once

#include "actionclip/video/image.h"

#include "video/regular_file.h"

namespace actionclip {

// Whether `file` starts as a JPEG does; leaves it at its start. Throws VideoError if it cannot be read.
bool is_jpeg(RegularFile& file);

// Decodes `file`, which stands at its start. Throws as read_image() does.
Image read_jpeg(RegularFile& file);

}  // namespace actionclip
