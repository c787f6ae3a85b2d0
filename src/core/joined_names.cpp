#include "actionclip/core/joined_names.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace actionclip {

std::string joined_names(std::span<const std::string> names, std::size_t most, std::size_t count) {
  const auto first = names.first(std::min(names.size(), most));
  return fmt::format("{}{}", fmt::join(first, ", "),
                     std::max(names.size(), count) > first.size() ? " ..." : "");
}

}  // namespace actionclip
