#include <algorithm>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include "actionclip/config/reader.h"
#include "actionclip/config/suggestion.h"
#include "actionclip/core/error.h"

namespace actionclip::detail {
namespace {

// A file that is not a configuration at all can hold thousands of unknown keys.
constexpr std::size_t kMaxFindings = 100;

std::string last_part(const std::string& path) { return path.substr(path.rfind('.') + 1); }

bool is_override(const ConfigMark& mark) { return mark.source && mark.source->is_override; }

std::string describe(const ConfigNode& node) {
  switch (node.kind) {
    case ConfigNode::Kind::null:
      return "nothing";
    case ConfigNode::Kind::sequence:
      return "a list";
    case ConfigNode::Kind::map:
      return "a map";
    case ConfigNode::Kind::scalar:
      break;
  }
  constexpr std::size_t kMaxShown = 60;
  const std::string shown = node.scalar.size() <= kMaxShown ? node.scalar : "a long text";
  return node.quoted ? fmt::format("the text \"{}\"", shown) : shown;
}

// A line break in a key or value must not look like a second finding.
std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

FindingList::Finding FindingList::make_finding(const ConfigMark& mark, const std::string& path,
                                               const std::string& message) {
  return {mark, one_line(path.empty() ? message : fmt::format("{}: {}", path, message))};
}

void FindingList::add(const ConfigMark& mark, const std::string& path, const std::string& message) {
  paths_.insert(path);
  if (findings_.size() == kMaxFindings) {
    ++left_out_;
    return;
  }
  findings_.push_back(make_finding(mark, path, message));
}

void FindingList::add_warning(const ConfigMark& mark, const std::string& path, const std::string& message) {
  warnings_.push_back(make_finding(mark, path, message));
}

void FindingList::add_wrong_type(const ConfigNode& found, const std::string& path,
                                 const std::string& expected, const std::string& hint) {
  add(found.mark, path, fmt::format("expected {}, found {}{}", expected, describe(found), hint));
}

void FindingList::add_unknown_key(const ConfigEntry& entry, const std::string& parent,
                                  const std::vector<std::string>& siblings) {
  const std::string path = join_key(parent, entry.key);
  if (findings_.size() == kMaxFindings) {
    ++left_out_;
    return;
  }
  const std::string sibling = nearest_name(entry.key, siblings);
  std::vector<std::string> elsewhere;
  for (const std::string& known : known_keys_) {
    if (last_part(known) == entry.key) elsewhere.push_back(known);
  }
  std::string advice;
  if (!sibling.empty() && (elsewhere.empty() || edit_distance(entry.key, sibling) <= 1)) {
    advice = fmt::format("did you mean '{}'?", sibling);
  } else if (!elsewhere.empty()) {
    advice = fmt::format("it belongs to {}", fmt::join(elsewhere, " or "));
  } else {
    std::vector<std::string> names;
    names.reserve(known_keys_.size());
    for (const std::string& known : known_keys_) names.push_back(last_part(known));
    const auto place = std::find(names.begin(), names.end(), nearest_name(entry.key, names));
    advice = place == names.end() ? fmt::format("known here: {}", fmt::join(siblings, ", "))
                                  : fmt::format("did you mean '{}'?",
                                                known_keys_[static_cast<std::size_t>(place - names.begin())]);
  }
  add(entry.key_mark, path, fmt::format("unknown key, {}", advice));
}

bool FindingList::is_read(const std::string& path) const {
  return std::none_of(unread_.begin(), unread_.end(), [&](const std::string& unread) {
    return unread.empty() || path == unread || path.starts_with(unread + ".");
  });
}

bool FindingList::has(const std::string& path) const {
  return paths_.contains(path) ||
         (!path.empty() && std::any_of(paths_.begin(), paths_.end(),
                                       [&](const auto& found) { return found.starts_with(path + "["); }));
}

std::vector<FindingList::Finding> FindingList::in_order(std::vector<Finding> findings) {
  std::stable_sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) {
    const auto key = [](const Finding& finding) {
      static const std::string none;
      return std::tuple<bool, const std::string&, int, int>(
          is_override(finding.mark), finding.mark.source ? finding.mark.source->name : none,
          finding.mark.line, finding.mark.column);
    };
    return key(a) < key(b);
  });
  return findings;
}

void FindingList::log_warnings() const {
  for (const Finding& warning : in_order(warnings_))
    spdlog::warn("{}: {}", warning.mark.text(), warning.text);
}

void FindingList::throw_if_any() const {
  if (findings_.empty()) return;
  const auto sorted = in_order(findings_);
  std::string message;
  for (const Finding& finding : sorted) {
    if (!message.empty()) message += '\n';
    message += fmt::format("{}: {}", finding.mark.text(), finding.text);
  }
  if (left_out_ > 0) message += fmt::format("\nand {} more", left_out_);
  const bool all_overrides = std::all_of(sorted.begin(), sorted.end(),
                                         [](const Finding& finding) { return is_override(finding.mark); });
  if (all_overrides) throw UsageError(message);
  throw ConfigError(message);
}

std::string StructChecker::path_of(std::string_view key) const {
  return key.empty() ? path_ : join_key(path_, key);
}

// `key` may lead into a member that is a struct: "optimizer.beta1".
const ConfigMark& StructChecker::place_of(std::string_view key) const {
  const ConfigMark* mark = &place_;
  const ConfigNode* node = node_;
  while (node != nullptr && !key.empty()) {
    const auto dot = std::min(key.find('.'), key.size());
    const ConfigEntry* entry = node->find(key.substr(0, dot));
    if (entry == nullptr) break;
    key.remove_prefix(std::min(dot + 1, key.size()));
    // The finding is about the value; if that is a section in which the member is not given, its key is the
    // better place.
    mark = key.empty() && entry->value.kind != ConfigNode::Kind::map ? &entry->value.mark : &entry->key_mark;
    node = &entry->value;
  }
  return *mark;
}

void StructChecker::error(std::string_view key, const std::string& message) {
  const std::string path = path_of(key);
  if (findings_.has(path)) return;  // its value could not be read: what stands there is the default
  findings_.add(place_of(key), path, message);
}

void StructChecker::warning(std::string_view key, const std::string& message) {
  findings_.add_warning(place_of(key), path_of(key), message);
}

}  // namespace actionclip::detail
