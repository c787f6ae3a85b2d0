#include "text/html_unescape.h"

#include <algorithm>
#include <optional>

#include "text/html_entities.h"
#include "text/utf8.h"

namespace actionclip::detail {
namespace {

constexpr char32_t kReplacement = 0xfffd;
constexpr char32_t kBeyondUnicode = 0x110000;

std::optional<std::string_view> find_entity(std::string_view name) {
  const auto* const found = std::ranges::lower_bound(kHtmlEntities, name, {}, &HtmlEntity::name);
  if (found == kHtmlEntities.end() || found->name != name) return std::nullopt;
  return found->text;
}

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return 16;
}

void append_numbered(std::string& result, char32_t code_point) {
  const auto* const special =
      std::ranges::lower_bound(kSpecialReferences, code_point, {}, &SpecialReference::code_point);
  if (special != kSpecialReferences.end() && special->code_point == code_point) {
    result += special->text;
  } else if (code_point >= kBeyondUnicode || (code_point >= 0xd800 && code_point <= 0xdfff)) {
    append_utf8(result, kReplacement);
  } else {
    append_utf8(result, code_point);
  }
}

// `rest` begins behind "&#". Appends the character and returns how much of `rest` names it; 0: no number
// there.
std::size_t unescape_number(std::string_view rest, std::string& result) {
  const bool hexadecimal = !rest.empty() && (rest[0] == 'x' || rest[0] == 'X');
  const int base = hexadecimal ? 16 : 10;
  const std::size_t first_digit = hexadecimal ? 1 : 0;
  std::size_t end = first_digit;
  char32_t code_point = 0;
  for (; end < rest.size() && digit_value(rest[end]) < base; ++end) {
    code_point = code_point * static_cast<char32_t>(base) + static_cast<char32_t>(digit_value(rest[end]));
    code_point = std::min(code_point, kBeyondUnicode);
  }
  if (end == first_digit) return 0;
  append_numbered(result, code_point);
  return end < rest.size() && rest[end] == ';' ? end + 1 : end;
}

// The bytes behind '&' that may be a name: up to 32 characters outside of a small set, and a ';'.
std::string_view name_candidate(std::string_view rest) {
  constexpr std::string_view kEnds = "\t\n\f <&#;";
  constexpr int kLongest = 32;
  std::size_t end = 0;
  for (int count = 0;
       count < kLongest && end < rest.size() && kEnds.find(rest[end]) == std::string_view::npos; ++count) {
    next_code_point(rest, end);
  }
  if (end > 0 && end < rest.size() && rest[end] == ';') ++end;
  return rest.substr(0, end);
}

// `rest` begins behind "&". Appends the characters and returns how much of `rest` names them; 0: no name
// there.
std::size_t unescape_name(std::string_view rest, std::string& result) {
  const std::string_view candidate = name_candidate(rest);
  for (std::size_t size = candidate.size(); size >= 2; --size) {
    if (const auto text = find_entity(candidate.substr(0, size))) {
      result += *text;
      return size;
    }
  }
  // What was looked at is not looked at again: Python's pattern consumes it whole.
  if (!candidate.empty()) result.append("&").append(candidate);
  return candidate.size();
}

}  // namespace

std::string html_unescape(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t position = 0; position < text.size();) {
    const std::size_t ampersand = std::min(text.find('&', position), text.size());
    result.append(text.substr(position, ampersand - position));
    if (ampersand == text.size()) break;
    const std::string_view rest = text.substr(ampersand + 1);
    const std::size_t used =
        rest.starts_with('#') ? unescape_number(rest.substr(1), result) : unescape_name(rest, result);
    if (used == 0) result += '&';
    position = ampersand + 1 + used + (used > 0 && rest.starts_with('#') ? 1 : 0);
  }
  return result;
}

}  // namespace actionclip::detail
