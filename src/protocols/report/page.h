// What a report looks like, and what its script does.
#pragma once

#include <string>
#include <string_view>

namespace actionclip::detail {

extern const std::string_view kPageStyle;   // CSS
extern const std::string_view kPageScript;  // JavaScript

// "sha256-..." of kPageScript, as a content security policy names the one script that may run.
std::string script_hash();

}  // namespace actionclip::detail
