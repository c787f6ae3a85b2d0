// Writing PNG files.
#pragma once

#include <filesystem>

#include "actionclip/video/image.h"

namespace actionclip {

// Writes a PNG file, which appears whole or not at all. Throws Error if it cannot be written.
void write_png(const std::filesystem::path& path, const Image& image);

}  // namespace actionclip
