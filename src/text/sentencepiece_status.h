// What the sentencepiece library says of a failure: "FILE(LINE) [CONDITION] text", where the text may be
// empty.
#pragma once

#include <string>
#include <string_view>

#include "text/utf8.h"

namespace actionclip::detail {

// The text, else the condition; short enough for a message.
inline std::string reason_of(std::string_view message) {
  if (const auto place = message.find(") ["); place != std::string_view::npos)
    message.remove_prefix(place + 2);
  const auto condition_end = message.rfind("] ");
  if (condition_end != std::string_view::npos && condition_end + 2 < message.size())
    message.remove_prefix(condition_end + 2);
  return excerpt(message);
}

}  // namespace actionclip::detail
