// A parsed configuration: a tree of values that know where they were written.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace actionclip {

// A file, a text, or an override of the command line.
struct ConfigSource {
  std::string name;              // as in messages: "configs/a.yaml", "override 'train.epochs=3'"
  std::filesystem::path folder;  // absolute; relative paths written in this source start here
  bool is_override = false;
};

// A position in a source. Lines and columns count from 1, columns in bytes, as compilers do.
struct ConfigMark {
  std::shared_ptr<const ConfigSource> source;
  int line = 1;
  int column = 1;

  // "configs/a.yaml:14:5"; of an override its name alone.
  std::string text() const;
};

struct ConfigEntry;

struct ConfigNode {
  enum class Kind { null, scalar, sequence, map };

  Kind kind = Kind::null;
  std::string scalar;                // unescaped text
  bool quoted = false;               // a scalar in quotes, or a block scalar: never a number or a boolean
  std::vector<ConfigNode> items;     // of a sequence
  std::vector<ConfigEntry> entries;  // of a map, in the order of the file, no key twice
  ConfigMark mark;

  // The entry of `key` in a map; null where there is none.
  const ConfigEntry* find(std::string_view key) const;
};

struct ConfigEntry {
  std::string key;
  ConfigMark key_mark;
  ConfigNode value;
};

}  // namespace actionclip
