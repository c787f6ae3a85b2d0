#include "text/utf8.h"

#include <fmt/format.h>

#include "actionclip/core/error.h"

namespace actionclip::detail {

namespace {

constexpr std::size_t kMaxSize = INT32_MAX;  // ICU's index

// Where the first sequence that is not UTF-8 begins; text.size() if there is none.
std::size_t first_fault(std::string_view text) {
  const auto size = static_cast<std::int32_t>(text.size());
  for (std::int32_t position = 0; position < size;) {
    const std::int32_t start = position;
    UChar32 code_point;
    U8_NEXT(text.data(), position, size, code_point);
    if (code_point < 0) return static_cast<std::size_t>(start);
  }
  return text.size();
}

}  // namespace

void require_utf8(std::string_view text, const std::string& what) {
  if (text.size() > kMaxSize)
    throw Error(fmt::format("{} has {} bytes; 2 GiB is the most", what, text.size()));
  const std::size_t fault = first_fault(text);
  if (fault == text.size()) return;
  throw Error(fmt::format("{} is not valid UTF-8: byte {:#04x} at offset {}; save it as UTF-8", what,
                          static_cast<unsigned char>(text[fault]), fault));
}

bool is_utf8(std::string_view text) { return text.size() <= kMaxSize && first_fault(text) == text.size(); }

void append_utf8(std::string& text, char32_t code_point) {
  char bytes[U8_MAX_LENGTH];
  std::int32_t size = 0;
  U8_APPEND_UNSAFE(bytes, size, static_cast<std::uint32_t>(code_point));
  text.append(bytes, static_cast<std::size_t>(size));
}

std::string excerpt(std::string_view text) {
  constexpr std::size_t kLimit = 80;
  std::size_t size = text.size();
  if (size > kLimit) {
    size = kLimit;
    while (size > 0 && U8_IS_TRAIL(text[size])) --size;
  }
  std::string result(text.substr(0, size));
  for (char& byte : result) {
    if (static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f) byte = ' ';
  }
  if (size < text.size()) result += "...";
  return result;
}

}  // namespace actionclip::detail
