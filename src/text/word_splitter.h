// Splits a cleaned text into the words that are encoded one by one.
// CLIP's pattern has four kinds of words and no backtracking, so a scan over ICU's character classes replaces
// a regular expression.
#pragma once

#include <string_view>
#include <vector>

namespace actionclip::detail {

inline constexpr std::string_view kStartOfText = "<start_of_text>";
inline constexpr std::string_view kEndOfText = "<end_of_text>";

// The words of `text` (valid UTF-8, lower-cased), in order, as views into it. At each place the first that
// fits: a special token, a contraction ('s 't 're 've 'm 'll 'd), a run of letters, one digit, a run of other
// characters. White space separates. Upper-case ASCII letters do not match the special tokens and
// contractions: the text is lower-cased before.
std::vector<std::string_view> split_words(std::string_view text);

}  // namespace actionclip::detail
