// UTF-8 on top of ICU's macros: checking, stepping by code points, and cutting text for messages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <unicode/utf8.h>

namespace actionclip::detail {

// Throws Error, beginning with `what`, at the first byte that is not UTF-8 (surrogates and overlong forms
// included), or if the text is longer than ICU can index (2 GiB).
void require_utf8(std::string_view text, const std::string& what);

bool is_utf8(std::string_view text);

// The code point at `position`, which moves behind it. `text` must be valid UTF-8, position < text.size().
inline char32_t next_code_point(std::string_view text, std::size_t& position) {
  UChar32 code_point;
  U8_NEXT_UNSAFE(text.data(), position, code_point);
  return static_cast<char32_t>(code_point);
}

void append_utf8(std::string& text, char32_t code_point);

// At most the first 80 bytes of valid UTF-8, cut between code points and marked "..."; control characters
// become spaces, so that a message stays one line.
std::string excerpt(std::string_view text);

}  // namespace actionclip::detail
