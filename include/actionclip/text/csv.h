// Comma-separated values by RFC 4180: quoted fields with "" for a quote, commas and line breaks inside
// quotes; CRLF or LF. Written here because every error needs its line, which the packaged parsers (libcsv) do
// not tell.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace actionclip {

struct CsvRow {
  std::int64_t line = 0;  // where it begins, from 1
  std::vector<std::string> fields;
};

// The rows of `text` without blank lines. Throws Error "name:line: ..." on damaged quoting.
std::vector<CsvRow> parse_csv(std::string_view text, const std::string& name);

}  // namespace actionclip
