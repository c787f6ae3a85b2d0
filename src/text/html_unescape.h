// HTML character references, resolved by the rules of HTML 5 as Python's html.unescape applies them.
// Written here because no packaged C++ library offers these rules alone; the tables come from Python's html
// module at build time.
#pragma once

#include <string>
#include <string_view>

namespace actionclip::detail {

// Resolves every &name; &#123; &#x1f; in `text` (valid UTF-8) once. Names that HTML allows without ';' are
// found by their longest prefix; code points that are not characters become U+FFFD or nothing, as HTML says;
// all else stays as written.
std::string html_unescape(std::string_view text);

}  // namespace actionclip::detail
