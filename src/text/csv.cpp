#include "actionclip/text/csv.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "actionclip/core/error.h"

namespace actionclip {

bool CsvReader::next(CsvRow& row) {
  while (position_ < text_.size()) {
    read_row(row);
    const bool is_blank = row.fields.size() == 1 && row.fields[0].empty();
    if (!is_blank) return true;
  }
  return false;
}

void CsvReader::read_row(CsvRow& row) {
  row.line = line_;
  std::size_t count = 0;
  do {
    if (count == row.fields.size()) row.fields.emplace_back();
    read_field(row.fields[count++]);
  } while (take(","));
  row.fields.resize(count);
  if (position_ < text_.size() && !take("\n") && !take("\r\n")) {
    refuse(line_,
           "a quote or a carriage return inside a field; put the field in quotes and write a quote as \"\"");
  }
  ++line_;
}

void CsvReader::read_field(std::string& field) {
  field.clear();
  if (take("\"")) return read_quoted(field);
  const std::size_t end = std::min(text_.find_first_of("\",\r\n", position_), text_.size());
  field = text_.substr(position_, end - position_);
  position_ = end;
}

// Behind the opening quote, to behind the closing one.
void CsvReader::read_quoted(std::string& field) {
  const std::int64_t first_line = line_;
  for (;;) {
    const std::size_t quote = text_.find('"', position_);
    if (quote == std::string_view::npos) refuse(first_line, "a quoted field has no closing quote");
    const std::string_view part = text_.substr(position_, quote - position_);
    field += part;
    line_ += std::ranges::count(part, '\n');
    position_ = quote + 1;
    if (!take("\"")) return;
    field += '"';
  }
}

bool CsvReader::take(std::string_view expected) {
  if (!text_.substr(position_).starts_with(expected)) return false;
  position_ += expected.size();
  return true;
}

void CsvReader::refuse(std::int64_t line, std::string_view reason) const {
  throw Error(fmt::format("{}:{}: {}", name_, line, reason));
}

std::vector<CsvRow> parse_csv(std::string_view text, const std::string& name) {
  CsvReader reader(text, name);
  std::vector<CsvRow> rows;
  for (CsvRow row; reader.next(row); row = {}) rows.push_back(std::move(row));
  return rows;
}

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string field = "\"";
  for (const char c : text) {
    if (c == '"') field += '"';
    field += c;
  }
  return field + '"';
}

}  // namespace actionclip
