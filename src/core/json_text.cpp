#include "actionclip/core/json_text.h"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>

namespace actionclip::detail {
namespace {

constexpr unsigned char kDelete = 0x7f;
constexpr unsigned char kLead = 0xc2;  // of U+0080 to U+00BF in UTF-8
constexpr unsigned char kFirst = 0x80, kLast = 0x9f;

bool is_lead_or_delete(char c) {
  return static_cast<unsigned char>(c) == kLead || static_cast<unsigned char>(c) == kDelete;
}

}  // namespace

std::string escape_controls(std::string json) {
  if (std::ranges::none_of(json, is_lead_or_delete)) return json;
  std::string escaped;
  escaped.reserve(json.size());
  for (std::size_t i = 0; i < json.size(); ++i) {
    const auto byte = static_cast<unsigned char>(json[i]);
    const auto next = i + 1 < json.size() ? static_cast<unsigned char>(json[i + 1]) : '\0';
    if (byte == kDelete) {
      escaped += fmt::format("\\u{:04x}", byte);
    } else if (byte == kLead && next >= kFirst && next <= kLast) {
      escaped += fmt::format("\\u{:04x}", next);
      ++i;
    } else {
      escaped += json[i];
    }
  }
  return escaped;
}

}  // namespace actionclip::detail
