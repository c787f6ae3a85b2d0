// Files with their `base:` chain and the overrides of the command line, merged into one tree.
#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "actionclip/config/reader.h"
#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"

#include "config/yaml_parser.h"

namespace actionclip {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kBaseKey = "base";
// A file that names another twice, which names another twice ... doubles with every level.
constexpr int kMaxFiles = 256;

[[noreturn]] void fail(const ConfigMark& mark, const std::string& message) {
  throw ConfigError(fmt::format("{}: {}", mark.text(), message));
}

void refuse_unless_map(const ConfigNode& root) {
  if (root.kind != ConfigNode::Kind::map && root.kind != ConfigNode::Kind::null) {
    fail(root.mark, "expected a map of keys and values at the top of the file");
  }
}

fs::path working_folder() {
  std::error_code ignored;
  return fs::current_path(ignored);
}

// Maps merge key by key, all else replaces. An empty section ("train:") adds nothing to the one it inherits.
// A map that an override only passes through keeps its own mark: what is wrong with its other members is not
// the override's fault.
void merge(ConfigNode& base, ConfigNode&& over) {
  if (base.kind != ConfigNode::Kind::map || over.kind != ConfigNode::Kind::map) {
    if (base.kind == ConfigNode::Kind::map && over.kind == ConfigNode::Kind::null) return;
    base = std::move(over);
    return;
  }
  std::unordered_map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < base.entries.size(); ++i) places.emplace(base.entries[i].key, i);
  if (!over.mark.source || !over.mark.source->is_override) base.mark = std::move(over.mark);
  for (ConfigEntry& entry : over.entries) {
    const auto place = places.find(entry.key);
    if (place == places.end()) {
      base.entries.push_back(std::move(entry));
      continue;
    }
    ConfigEntry& mine = base.entries[place->second];
    const bool passed_through = mine.value.kind == ConfigNode::Kind::map &&
                                entry.value.kind == ConfigNode::Kind::map &&
                                entry.key_mark.source->is_override;
    if (!passed_through) mine.key_mark = std::move(entry.key_mark);
    merge(mine.value, std::move(entry.value));
  }
}

class Loader {
 public:
  // Throws the error of a file that cannot be read between `before` and `after`, which say who names it.
  ConfigNode load(const fs::path& file, const std::string& before = {}, const std::string& after = {}) {
    std::string text;
    try {
      text = read_text_file(file, detail::kMaxYamlBytes);
    } catch (const Error& error) {
      throw ConfigError(before + error.what() + after);
    }
    std::error_code ignored;
    const auto folder = fs::absolute(file, ignored).parent_path();
    const auto source =
        std::make_shared<const ConfigSource>(ConfigSource{file.string(), folder, /*is_override=*/false});
    ConfigNode node = detail::parse_yaml_text(text, source);
    ++files_;
    chain_.push_back(file);
    ConfigNode merged = inherit(std::move(node), file);
    chain_.pop_back();
    return merged;
  }

 private:
  // Takes `base:` out of `node` and merges the rest over what it names.
  ConfigNode inherit(ConfigNode node, const fs::path& file) {
    const auto entry = std::find_if(node.entries.begin(), node.entries.end(),
                                    [](const ConfigEntry& candidate) { return candidate.key == kBaseKey; });
    if (entry == node.entries.end()) return node;
    const ConfigNode bases = std::move(entry->value);
    node.entries.erase(entry);

    ConfigNode merged;
    merged.kind = ConfigNode::Kind::map;
    if (bases.kind == ConfigNode::Kind::sequence) {
      for (const ConfigNode& base : bases.items) merge(merged, load_base(base, file));
    } else {
      merge(merged, load_base(bases, file));
    }
    merge(merged, std::move(node));
    return merged;
  }

  ConfigNode load_base(const ConfigNode& base, const fs::path& file) {
    if (base.kind != ConfigNode::Kind::scalar || base.scalar.empty()) {
      fail(base.mark, "base: expected a path or a list of paths, relative to this file");
    }
    const auto path = (file.parent_path() / base.scalar).lexically_normal();
    if (std::any_of(chain_.begin(), chain_.end(),
                    [&](const fs::path& open) { return same_file(open, path); })) {
      fail(base.mark, fmt::format("base: the files inherit from each other in a circle: {}", chain_to(path)));
    }
    if (files_ >= kMaxFiles)
      fail(base.mark, fmt::format("base: more than {} files are inherited", kMaxFiles));
    ConfigNode node = load(path, fmt::format("{}: base: ", base.mark.text()),
                           fmt::format(" (inherited as {})", chain_to(path)));
    refuse_unless_map(node);
    return node;
  }

  static bool same_file(const fs::path& a, const fs::path& b) {
    std::error_code ignored;
    return fs::equivalent(a, b, ignored);
  }

  std::string chain_to(const fs::path& last) const {
    std::string text;
    for (const fs::path& file : chain_) text += file.string() + " -> ";
    return text + last.string();
  }

  std::vector<fs::path> chain_;  // files whose bases are being read
  int files_ = 0;
};

// "a.b.c" -> a, b, c.
std::vector<std::string> split_keys(std::string_view text, const ConfigMark& mark) {
  std::vector<std::string> keys;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('.', begin), text.size());
    keys.emplace_back(text.substr(begin, end - begin));
    const std::string& key = keys.back();
    if (key.empty() || key.find_first_of(" \t\n") != std::string::npos ||
        keys.size() > detail::kMaxYamlDepth) {
      throw UsageError(
          fmt::format("{}: '{}' is not a key, expected KEY=VALUE, as in train.epochs=3", mark.text(), text));
    }
    begin = end + 1;
  }
  return keys;
}

void apply_override(ConfigNode& root, const std::string& text) {
  const auto source = std::make_shared<const ConfigSource>(
      ConfigSource{fmt::format("override '{}'", text), working_folder(), /*is_override=*/true});
  const ConfigMark mark{source, 1, 1};
  const auto equals = text.find('=');
  if (equals == std::string::npos) {
    throw UsageError(fmt::format("{}: expected KEY=VALUE, as in train.epochs=3", mark.text()));
  }
  const auto keys = split_keys(std::string_view(text).substr(0, equals), mark);
  if (keys.front() == kBaseKey) {
    throw UsageError(fmt::format("{}: only files can inherit", mark.text()));
  }
  ConfigNode over;
  try {
    over = detail::parse_yaml_text(text.substr(equals + 1), source);
  } catch (const ConfigError& error) {
    throw UsageError(error.what());
  }
  for (auto key = keys.rbegin(); key != keys.rend(); ++key) {
    ConfigNode parent;
    parent.kind = ConfigNode::Kind::map;
    parent.mark = mark;
    parent.entries.push_back({*key, mark, std::move(over)});
    over = std::move(parent);
  }
  if (root.kind == ConfigNode::Kind::null) root.kind = ConfigNode::Kind::map;
  merge(root, std::move(over));
}

}  // namespace

ConfigNode load_yaml(const std::filesystem::path& file, const std::vector<std::string>& overrides) {
  ConfigNode root = Loader().load(file);
  if (!overrides.empty()) refuse_unless_map(root);
  for (const std::string& text : overrides) apply_override(root, text);
  return root;
}

ConfigNode parse_yaml(const std::string& text, const std::string& name) {
  const auto source = std::make_shared<const ConfigSource>(ConfigSource{name, working_folder(), false});
  ConfigNode root = detail::parse_yaml_text(text, source);
  if (const ConfigEntry* base = root.find(kBaseKey)) fail(base->key_mark, "base: only files can inherit");
  return root;
}

}  // namespace actionclip
