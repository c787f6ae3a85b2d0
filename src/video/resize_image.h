// Whole frames in another size.
#pragma once

#include <cstdint>

#include "actionclip/video/image.h"

namespace actionclip {

// `image` with a short side of `short_side` pixels (bicubic, antialiased, as Pillow's within 2 of 255); the
// long one is resized_size()'s. Throws VideoError on a frame so thin that its resized form would have more
// than kMaxImagePixels.
Image resize_short_side(const Image& image, std::int64_t short_side);

}  // namespace actionclip
