// What a report looks like, and what its script does.
#pragma once

#include <string_view>

namespace actionclip::detail {

extern const std::string_view kPageStyle;   // CSS
extern const std::string_view kPageScript;  // JavaScript

}  // namespace actionclip::detail
