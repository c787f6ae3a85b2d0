// "Did you mean": the nearest of some names.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace actionclip {

// Edits (insert, delete, replace, swap neighbours) that turn `a` into `b`; letter case and '-' for '_' do not
// count.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The name nearest to `text`, or "" if none is near enough to be what was meant (a third of its letters, at
// least one).
std::string nearest_name(std::string_view text, const std::vector<std::string>& names);

}  // namespace actionclip
