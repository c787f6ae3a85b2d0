#include "actionclip/text/csv.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "actionclip/core/error.h"

namespace actionclip {
namespace {

class CsvParser {
 public:
  CsvParser(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  std::vector<CsvRow> parse() {
    std::vector<CsvRow> rows;
    while (position_ < text_.size()) {
      CsvRow row = read_row();
      const bool is_blank = row.fields.size() == 1 && row.fields[0].empty();
      if (!is_blank) rows.push_back(std::move(row));
    }
    return rows;
  }

 private:
  CsvRow read_row() {
    CsvRow row{line_, {}};
    do {
      row.fields.push_back(read_field());
    } while (take(","));
    if (position_ < text_.size() && !take("\n") && !take("\r\n")) {
      refuse(
          line_,
          "a quote or a carriage return inside a field; put the field in quotes and write a quote as \"\"");
    }
    ++line_;
    return row;
  }

  std::string read_field() {
    if (take("\"")) return read_quoted();
    const std::size_t end = std::min(text_.find_first_of("\",\r\n", position_), text_.size());
    std::string field(text_.substr(position_, end - position_));
    position_ = end;
    return field;
  }

  // Behind the opening quote, to behind the closing one.
  std::string read_quoted() {
    const std::int64_t first_line = line_;
    std::string field;
    for (;;) {
      const std::size_t quote = text_.find('"', position_);
      if (quote == std::string_view::npos) refuse(first_line, "a quoted field has no closing quote");
      const std::string_view part = text_.substr(position_, quote - position_);
      field += part;
      line_ += std::ranges::count(part, '\n');
      position_ = quote + 1;
      if (!take("\"")) return field;
      field += '"';
    }
  }

  bool take(std::string_view expected) {
    if (!text_.substr(position_).starts_with(expected)) return false;
    position_ += expected.size();
    return true;
  }

  [[noreturn]] void refuse(std::int64_t line, std::string_view reason) const {
    throw Error(fmt::format("{}:{}: {}", name_, line, reason));
  }

  std::string_view text_;
  const std::string& name_;
  std::size_t position_ = 0;
  std::int64_t line_ = 1;
};

}  // namespace

std::vector<CsvRow> parse_csv(std::string_view text, const std::string& name) {
  return CsvParser(text, name).parse();
}

}  // namespace actionclip
