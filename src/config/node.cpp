#include "actionclip/config/node.h"

#include <algorithm>

#include <fmt/format.h>

namespace actionclip {

std::string ConfigMark::text() const {
  if (!source) return "configuration";
  if (source->is_override) return source->name;
  return fmt::format("{}:{}:{}", source->name, line, column);
}

const ConfigEntry* ConfigNode::find(std::string_view key) const {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const ConfigEntry& entry) { return entry.key == key; });
  return found == entries.end() ? nullptr : &*found;
}

}  // namespace actionclip
