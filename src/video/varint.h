// Whole numbers in as few bytes as they need: groups of seven bits, the lowest first; signed ones with their
// sign in the lowest bit.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace actionclip {

inline void put_number(std::string& bytes, std::int64_t value) {
  auto rest = static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63);
  for (; rest >= 0x80; rest >>= 7) bytes += static_cast<char>(rest | 0x80);
  bytes += static_cast<char>(rest);
}

// Takes a number off the front; 0 and an empty view if there is none.
inline std::int64_t take_number(std::string_view& bytes) {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return static_cast<std::int64_t>(value >> 1 ^ (0 - (value & 1)));
  }
  bytes = {};
  return 0;
}

}  // namespace actionclip
