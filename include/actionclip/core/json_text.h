// JSON as text, for files and for people.
#pragma once

#include <string>

namespace actionclip {

// `json` (of nlohmann's types) indented by `indent` spaces, on one line if it is negative. Bytes that are not
// UTF-8 become U+FFFD, where dump() alone would throw: a file may have any name, and one odd name must not
// cost the other results.
template <typename Json>
std::string json_text(const Json& json, int indent = 2) {
  return json.dump(indent, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

}  // namespace actionclip
