// What CLIP does to a text before splitting it into words.
#pragma once

#include <string>
#include <string_view>

namespace actionclip::detail {

// NFC, HTML entities resolved twice, white space (as Python's str.split sees it) stripped at the ends and
// collapsed to one space elsewhere, lower-cased by Unicode's full mapping without a language. `text` must be
// valid UTF-8.
std::string clean_text(std::string_view text);

}  // namespace actionclip::detail
