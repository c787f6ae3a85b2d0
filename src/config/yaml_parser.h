// YAML text -> ConfigNode, through yaml-cpp's event handler. YAML::Node is not used: it keeps the first of
// two equal keys without a word, follows aliases (a 350-byte file can hold millions of nodes) and loses the
// marks of keys.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "actionclip/config/node.h"

namespace actionclip::detail {

inline constexpr std::size_t kMaxYamlBytes = 4u << 20;
inline constexpr std::size_t kMaxYamlDepth = 64;
inline constexpr std::size_t kMaxYamlNodes = 100'000;

// Accepts one document of maps, sequences and scalars in UTF-8. Throws ConfigError (position, what, what to
// do) for anything else: anchors and aliases, tags, equal keys, keys that are not plain text, control bytes,
// and texts past the limits above.
ConfigNode parse_yaml_text(const std::string& text, const std::shared_ptr<const ConfigSource>& source);

}  // namespace actionclip::detail
