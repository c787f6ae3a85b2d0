// JSON as text, for files and for people.
#pragma once

#include <string>

namespace actionclip {

namespace detail {

// `json` with U+007F to U+009F escaped.
std::string escape_controls(std::string json);

}  // namespace detail

// `json` (of nlohmann's types) indented by `indent` spaces, on one line if it is negative. Bytes that are not
// UTF-8 become U+FFFD, where dump() alone would throw: a file may have any name, and one odd name must not
// cost the other results. All control characters are escaped, those beyond ASCII too, which JSON allows as
// they are and a terminal obeys.
template <typename Json>
std::string json_text(const Json& json, int indent = 2) {
  return detail::escape_controls(
      json.dump(indent, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace));
}

}  // namespace actionclip
