#include "weights/tensor_bounds.h"

#include <algorithm>

#include <fmt/format.h>

namespace actionclip {

std::optional<std::int64_t> checked_byte_count(DType dtype, const std::vector<std::int64_t>& shape) {
  if (shape.size() > kMaxDimensions) return std::nullopt;
  auto bytes = static_cast<std::int64_t>(item_size(dtype));
  bool empty = false;
  for (const std::int64_t size : shape) {
    if (size < 0) return std::nullopt;
    empty = empty || size == 0;
    if (__builtin_mul_overflow(bytes, std::max<std::int64_t>(size, 1), &bytes)) return std::nullopt;
  }
  return empty ? 0 : bytes;
}

std::string quoted_name(std::string_view name) {
  constexpr std::size_t kLongest = 200;
  std::string text = "\"";
  for (const char c : name.substr(0, kLongest)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      text += fmt::format("\\x{:02x}", byte);
    } else {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
  }
  return text + (name.size() > kLongest ? "...\"" : "\"");
}

}  // namespace actionclip
