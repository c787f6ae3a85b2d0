#include "config_changes.h"

#include <map>
#include <set>

#include <fmt/format.h>

#include "actionclip/config/node.h"
#include "actionclip/config/reader.h"

namespace actionclip {
namespace {

using Values = std::map<std::string, std::string>;  // by path: "train.lr"

std::string text_of(const ConfigNode& node) {
  switch (node.kind) {
    case ConfigNode::Kind::scalar:
      return node.scalar;
    case ConfigNode::Kind::sequence: {
      std::string text;
      for (const auto& item : node.items) text += (text.empty() ? "" : ", ") + text_of(item);
      return "[" + text + "]";
    }
    default:
      return "";
  }
}

void collect(const ConfigNode& node, const std::string& path, Values& values) {
  if (node.kind != ConfigNode::Kind::map) {
    values[path] = text_of(node);
    return;
  }
  for (const auto& entry : node.entries)
    collect(entry.value, path.empty() ? entry.key : path + "." + entry.key, values);
}

Values values_of(std::string_view yaml) {
  Values values;
  collect(parse_yaml(std::string(yaml), "config.yaml"), "", values);
  return values;
}

}  // namespace

std::vector<std::string> config_changes(std::string_view before, std::string_view after) {
  const auto old_values = values_of(before), new_values = values_of(after);
  std::set<std::string> paths;
  for (const auto& [path, value] : old_values) paths.insert(path);
  for (const auto& [path, value] : new_values) paths.insert(path);
  const auto shown = [](const Values& values, const std::string& path) {
    const auto found = values.find(path);
    return found == values.end() || found->second.empty() ? "nothing" : found->second;
  };
  std::vector<std::string> changes;
  for (const auto& path : paths) {
    const auto from = shown(old_values, path), to = shown(new_values, path);
    if (from != to) changes.push_back(fmt::format("{}: {} -> {}", path, from, to));
  }
  return changes;
}

}  // namespace actionclip
