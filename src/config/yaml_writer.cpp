#include <algorithm>

#include <fmt/format.h>
#include <yaml-cpp/emitter.h>
#include <yaml-cpp/emittermanip.h>

#include "actionclip/config/reader.h"
#include "actionclip/core/error.h"

namespace actionclip::detail {
namespace {

void emit(YAML::Emitter& emitter, const ConfigNode& node);

void emit_text(YAML::Emitter& emitter, const ConfigNode& scalar) {
  if (scalar.quoted) emitter << YAML::DoubleQuoted;
  emitter << scalar.scalar;
}

// Short lists stay on one line: "[0.9, 0.98]".
void emit_sequence(YAML::Emitter& emitter, const ConfigNode& node) {
  const bool only_scalars = std::all_of(node.items.begin(), node.items.end(), [](const ConfigNode& item) {
    return item.kind == ConfigNode::Kind::scalar;
  });
  if (only_scalars) emitter << YAML::Flow;
  emitter << YAML::BeginSeq;
  for (const ConfigNode& item : node.items) emit(emitter, item);
  emitter << YAML::EndSeq;
}

void emit_map(YAML::Emitter& emitter, const ConfigNode& node) {
  if (node.entries.empty()) emitter << YAML::Flow;
  emitter << YAML::BeginMap;
  for (const ConfigEntry& entry : node.entries) {
    emitter << YAML::Key;
    emit_text(emitter, scalar_node(entry.key));
    emitter << YAML::Value;
    emit(emitter, entry.value);
  }
  emitter << YAML::EndMap;
}

void emit(YAML::Emitter& emitter, const ConfigNode& node) {
  switch (node.kind) {
    case ConfigNode::Kind::null:
      emitter << YAML::Null;
      break;
    case ConfigNode::Kind::scalar:
      emit_text(emitter, node);
      break;
    case ConfigNode::Kind::sequence:
      emit_sequence(emitter, node);
      break;
    case ConfigNode::Kind::map:
      emit_map(emitter, node);
      break;
  }
}

}  // namespace

std::string emit_yaml(const ConfigNode& node) {
  YAML::Emitter emitter;
  emit(emitter, node);
  if (!emitter.good()) throw Error(fmt::format("cannot write the configuration: {}", emitter.GetLastError()));
  return std::string(emitter.c_str(), emitter.size()) + "\n";
}

}  // namespace actionclip::detail
