#include "published_settings.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "actionclip/config/reader.h"
#include "actionclip/core/error.h"

namespace actionclip::detail {
namespace {

constexpr std::array<std::string_view, 9> kTrue = {"true", "True", "TRUE", "yes", "Yes",
                                                   "YES",  "on",   "On",   "ON"};
constexpr std::array<std::string_view, 9> kFalse = {"false", "False", "FALSE", "no", "No",
                                                    "NO",    "off",   "Off",   "OFF"};

template <typename T>
void check_at_least(ConfigChecker& checker, std::string_view key, const std::optional<T>& value,
                    double minimum) {
  if (value) checker.at_least(key, static_cast<double>(*value), minimum);
}

void read_as_python(ConfigNode& node) {
  if (node.kind == ConfigNode::Kind::scalar && !node.quoted) {
    if (std::ranges::find(kTrue, node.scalar) != kTrue.end()) node.scalar = "true";
    if (std::ranges::find(kFalse, node.scalar) != kFalse.end()) node.scalar = "false";
  }
  std::erase_if(node.entries,
                [](const ConfigEntry& entry) { return entry.value.kind == ConfigNode::Kind::null; });
  for (auto& entry : node.entries) read_as_python(entry.value);
}

// Takes out what is no key of the published code.
void take_unknown(ConfigNode& node, const std::string& parent, const std::vector<std::string>& known,
                  std::vector<UnknownKey>& unknown) {
  std::erase_if(node.entries, [&](const ConfigEntry& entry) {
    const std::string path = join_key(parent, entry.key);
    if (std::ranges::find(known, path) != known.end()) return false;
    unknown.push_back({entry.key_mark.line, path});
    return true;
  });
  for (auto& entry : node.entries) take_unknown(entry.value, join_key(parent, entry.key), known, unknown);
}

ConfigNode* find_value(ConfigNode& node, std::string_view key) {
  for (auto& entry : node.entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

// A single number becomes a list of one. Whether it was one.
bool settle_decay(ConfigNode& root) {
  ConfigNode* solver = find_value(root, "solver");
  ConfigNode* steps = solver == nullptr ? nullptr : find_value(*solver, "lr_decay_step");
  if (steps == nullptr || steps->kind != ConfigNode::Kind::scalar) return false;
  ConfigNode list;
  list.kind = ConfigNode::Kind::sequence;
  list.mark = steps->mark;
  list.items.push_back(std::move(*steps));
  *steps = std::move(list);
  return true;
}

}  // namespace

void PublishedData::check(ConfigChecker& checker) const {
  if (modality && *modality != "RGB")
    checker.error("modality", fmt::format("RGB is the only one here, found '{}'", *modality));
  if (seg_length && *seg_length != 1) {
    checker.error("seg_length",
                  fmt::format("a segment gives 1 frame here, found {}; for frames one after the other see "
                              "data.sampling: {{strategy: dense}}",
                              *seg_length));
  }
  check_at_least(checker, "num_segments", num_segments, 1);
  check_at_least(checker, "batch_size", batch_size, 2);
  check_at_least(checker, "workers", workers, 0);
}

void PublishedNetwork::check(ConfigChecker& checker) const {
  const auto names = architecture_names();
  if (arch && std::ranges::find(names, *arch) == names.end())
    checker.error("arch", fmt::format("must be one of {}, found '{}'", fmt::join(names, ", "), *arch));
}

void PublishedSolver::check(ConfigChecker& checker) const {
  check_at_least(checker, "epochs", epochs, 1);
  if (lr) checker.greater_than("lr", *lr, 0);
  check_at_least(checker, "lr_warmup_step", lr_warmup_step, 0);
  check_at_least(checker, "weight_decay", weight_decay, 0);
  for (const auto step : lr_decay_step) checker.at_least("lr_decay_step", static_cast<double>(step), 1);
}

PublishedFile read_published(ConfigNode root) {
  PublishedFile file;
  read_as_python(root);
  take_unknown(root, "", config_keys<PublishedConfig>(), file.unknown);
  file.steady_decay = settle_decay(root);
  file.config = read_config<PublishedConfig>(root);
  if (!file.config.network.arch) {
    throw ConfigError(
        fmt::format("{}: network.arch: not given; is this a file of the published code?", root.mark.text()));
  }
  return file;
}

}  // namespace actionclip::detail
