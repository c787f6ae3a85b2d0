// First steps of reading text that people wrote: lists, tables, and the numbers in them. Written here because
// the packaged ones (boost::algorithm, strtoll) copy, look at the locale, or accept what follows a number.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace actionclip {

// Without the mark that some editors put before UTF-8.
std::string_view without_byte_order_mark(std::string_view text);

// Without the white space (ASCII) at both ends.
std::string_view trimmed(std::string_view text);

// The whole of `text` as a decimal integer; none if it is anything else ("+1", "1 ", "1.0") or too large.
std::optional<std::int64_t> parse_integer(std::string_view text);

// The same for a finite decimal number ("12", "0.5", "1e3").
std::optional<double> parse_number(std::string_view text);

}  // namespace actionclip
