// Inputs of a fuzz target as changes of a valid file: to find one byte by byte takes too long.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace actionclip {

// Each three bytes of `edits` are a place in `file`, as a share of its length, and the byte that goes there.
inline std::string edited(std::string file, std::span<const std::uint8_t> edits) {
  for (; edits.size() >= 3 && !file.empty(); edits = edits.subspan(3)) {
    const std::size_t place = (static_cast<std::size_t>(edits[0]) << 8 | edits[1]) * file.size() >> 16;
    file[place] = static_cast<char>(edits[2]);
  }
  return file;
}

}  // namespace actionclip
