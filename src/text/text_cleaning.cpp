#include "text/text_cleaning.h"

#include <cstdint>

#include <fmt/format.h>
#include <unicode/bytestream.h>
#include <unicode/casemap.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>

#include "actionclip/core/error.h"

#include "text/html_unescape.h"
#include "text/utf8.h"

namespace actionclip::detail {
namespace {

icu::StringPiece piece(std::string_view text) {
  return {text.data(), static_cast<std::int32_t>(text.size())};
}

void require_success(UErrorCode status, const char* step) {
  if (U_FAILURE(status))
    throw Error(fmt::format("{} of a text failed: ICU says {}", step, u_errorName(status)));
}

std::string compose(std::string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* nfc = icu::Normalizer2::getNFCInstance(status);
  require_success(status, "normalising");
  std::string result;
  icu::StringByteSink<std::string> sink(&result);
  nfc->normalizeUTF8(0, piece(text), sink, nullptr, status);
  require_success(status, "normalising");
  return result;
}

// Python counts the four information separators as white space; Unicode's White_Space does not.
bool is_python_space(char32_t code_point) {
  return (code_point >= 0x1c && code_point <= 0x1f) || u_isUWhiteSpace(static_cast<UChar32>(code_point));
}

std::string collapse_white_space(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  bool space_due = false;
  for (std::size_t position = 0; position < text.size();) {
    const std::size_t start = position;
    if (is_python_space(next_code_point(text, position))) {
      space_due = !result.empty();
      continue;
    }
    if (space_due) result += ' ';
    space_due = false;
    result.append(text.substr(start, position - start));
  }
  return result;
}

std::string lower_case(std::string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  std::string result;
  icu::StringByteSink<std::string> sink(&result);
  icu::CaseMap::utf8ToLower("", 0, piece(text), sink, nullptr, status);
  require_success(status, "lower-casing");
  return result;
}

}  // namespace

std::string clean_text(std::string_view text) {
  return lower_case(collapse_white_space(html_unescape(html_unescape(compose(text)))));
}

}  // namespace actionclip::detail
