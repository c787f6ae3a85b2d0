// Comma-separated values by RFC 4180: quoted fields with "" for a quote, commas and line breaks inside
// quotes; CRLF or LF. Written here because every error needs its line, which the packaged parsers (libcsv) do
// not tell.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace actionclip {

struct CsvRow {
  std::int64_t line = 0;  // where it begins, from 1
  std::vector<std::string> fields;
};

// Gives the rows of a text one after the other, so that a table of a million rows is never in memory as rows.
class CsvReader {
 public:
  // `text` and `name`, which stands for the file in messages, must outlive the reader.
  CsvReader(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  // The next row that is not blank, in `row`, whose memory serves again; false at the end. Throws Error
  // "name:line: ..." on damaged quoting.
  bool next(CsvRow& row);

 private:
  void read_row(CsvRow& row);
  void read_field(std::string& field);
  void read_quoted(std::string& field);
  bool take(std::string_view expected);
  [[noreturn]] void refuse(std::int64_t line, std::string_view reason) const;

  std::string_view text_;
  const std::string& name_;
  std::size_t position_ = 0;
  std::int64_t line_ = 1;
};

// All rows of `text` without blank ones. Throws Error as CsvReader::next().
std::vector<CsvRow> parse_csv(std::string_view text, const std::string& name);

// `text` as a field: in quotes if it needs them.
std::string csv_field(std::string_view text);

}  // namespace actionclip
