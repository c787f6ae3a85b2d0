// Scalars, strictly: what YAML readers guess ("yes", 010, 1_000, .inf) is refused with a word on what to
// write.
#include <charconv>
#include <cmath>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "actionclip/config/reader.h"
#include "actionclip/config/suggestion.h"
#include "actionclip/core/text_input.h"

namespace actionclip::detail {
namespace {

namespace fs = std::filesystem;

bool is_plain(const ConfigNode& node) { return node.kind == ConfigNode::Kind::scalar && !node.quoted; }

// from_chars takes no plus sign.
std::string_view without_plus(std::string_view text) {
  return text.size() > 1 && text[0] == '+' && text[1] != '-' ? text.substr(1) : text;
}

bool has_leading_zero(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  return text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9';
}

// The whole text as a finite number.
std::optional<double> parse_real(std::string_view text) {
  if (has_leading_zero(text)) return std::nullopt;
  text = without_plus(text);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

bool is_not_finite(std::string_view text) {
  text = without_plus(text);
  if (!text.empty() && text[0] == '-') text.remove_prefix(1);
  if (!text.empty() && text[0] == '.') text.remove_prefix(1);
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return lower == "nan" || lower == "inf" || lower == "infinity";
}

std::string integer_hint(std::string_view text) {
  if (has_leading_zero(text)) return " (leading zeros are not allowed)";
  const auto real = parse_real(text);
  if (!real || *real != std::floor(*real)) return "";
  if (std::abs(*real) < 1e15) return fmt::format(" (write {:.0f})", *real);
  return " (too large)";
}

// A text that another YAML reader could take for something else than a string, or that needs quotes to
// survive.
bool needs_quotes(const std::string& text) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_/.+-@";
  if (text.empty() || text.find_first_not_of(kPlain) != std::string::npos) return true;
  if (std::string_view("-+@.").find(text[0]) != std::string_view::npos)
    return text.size() < 2 || text[1] != '/';
  if (text[0] >= '0' && text[0] <= '9') return true;
  for (const auto* word : {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}) {
    if (edit_distance(text, word) == 0) return true;
  }
  return false;
}

ConfigNode plain_node(std::string text) {
  ConfigNode node;
  node.kind = ConfigNode::Kind::scalar;
  node.scalar = std::move(text);
  return node;
}

}  // namespace

void read_scalar(FindingList& findings, const ConfigNode& node, const std::string& path, bool& value) {
  if (is_plain(node) && (node.scalar == "true" || node.scalar == "false")) {
    value = node.scalar == "true";
  } else {
    findings.add_wrong_type(node, path, "true or false");
  }
}

void read_scalar(FindingList& findings, const ConfigNode& node, const std::string& path,
                 std::int64_t& value) {
  constexpr const char* kExpected = "an integer";
  if (!is_plain(node)) return findings.add_wrong_type(node, path, kExpected);
  const std::string_view text = without_plus(node.scalar);
  const auto number = parse_integer(text);
  if (!number || has_leading_zero(text)) {
    return findings.add_wrong_type(node, path, kExpected, integer_hint(node.scalar));
  }
  value = *number;
}

void read_scalar(FindingList& findings, const ConfigNode& node, const std::string& path, double& value) {
  constexpr const char* kExpected = "a number";
  if (!is_plain(node)) return findings.add_wrong_type(node, path, kExpected);
  const auto number = parse_real(node.scalar);
  if (number) {
    value = *number;
  } else if (is_not_finite(node.scalar)) {
    findings.add_wrong_type(node, path, "a finite number");
  } else {
    findings.add_wrong_type(node, path, kExpected,
                            has_leading_zero(node.scalar) ? integer_hint(node.scalar) : "");
  }
}

void read_scalar(FindingList& findings, const ConfigNode& node, const std::string& path, std::string& value) {
  if (node.kind == ConfigNode::Kind::scalar) {
    value = node.scalar;
  } else if (is_empty_override(node)) {
    value.clear();
  } else {
    findings.add_wrong_type(node, path, "a text");
  }
}

void read_scalar(FindingList& findings, const ConfigNode& node, const std::string& path, InputPath& value) {
  if (node.kind == ConfigNode::Kind::null || (node.kind == ConfigNode::Kind::scalar && node.scalar.empty())) {
    value.path.clear();
    return;
  }
  if (node.kind != ConfigNode::Kind::scalar) return findings.add_wrong_type(node, path, "a path");
  const fs::path folder = node.mark.source ? node.mark.source->folder : fs::path();
  value.path = (folder / node.scalar).lexically_normal();
  if (!findings.is_read(path)) return;
  std::error_code error;
  if (!fs::exists(value.path, error)) {
    findings.add(node.mark, path,
                 error && error != std::errc::no_such_file_or_directory
                     ? fmt::format("cannot read {}: {}", value.path.string(), error.message())
                     : fmt::format("no such file or folder: {}", value.path.string()));
  }
}

std::optional<std::size_t> read_choice(FindingList& findings, const ConfigNode& node, const std::string& path,
                                       const std::vector<std::string>& names) {
  const bool is_scalar = node.kind == ConfigNode::Kind::scalar;
  for (std::size_t i = 0; is_scalar && i < names.size(); ++i) {
    if (names[i] == node.scalar) return i;
  }
  const std::string near = is_scalar ? nearest_name(node.scalar, names) : "";
  const std::string expected =
      names.size() == 1 ? names[0] : fmt::format("one of {}", fmt::join(names, ", "));
  findings.add_wrong_type(node, path, expected,
                          near.empty() ? "" : fmt::format(", did you mean '{}'?", near));
  return std::nullopt;
}

ConfigNode scalar_node(bool value) { return plain_node(value ? "true" : "false"); }
ConfigNode scalar_node(std::int64_t value) { return plain_node(fmt::format("{}", value)); }
ConfigNode scalar_node(double value) { return plain_node(fmt::format("{}", value)); }

ConfigNode scalar_node(const std::string& value) {
  ConfigNode node = plain_node(value);
  node.quoted = needs_quotes(value);
  return node;
}

ConfigNode scalar_node(const InputPath& value) {
  return scalar_node(value.empty() ? std::string() : fs::absolute(value.path).lexically_normal().string());
}

}  // namespace actionclip::detail
