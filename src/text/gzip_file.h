// Reading of a gzip (or plain) file as text.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace actionclip::detail {

// The whole file, decompressed. Throws Error (path, reason) if it cannot be read, is damaged or cut off, or
// holds more than `limit` bytes decompressed.
std::string read_gzip_file(const std::filesystem::path& path, std::size_t limit);

}  // namespace actionclip::detail
