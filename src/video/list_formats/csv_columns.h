// The columns of a CSV file by their names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actionclip/text/csv.h"

namespace actionclip {

// Gives the rows behind the header, each with as many fields as the header.
class CsvColumns {
 public:
  // Reads the header. `text` and `file` must outlive it. Throws Error "file:line: ..." if a column has no
  // name of its own.
  CsvColumns(std::string_view text, const std::string& file);

  const std::vector<std::string>& names() const { return header_.fields; }
  std::int64_t header_line() const { return header_.line; }

  std::optional<std::size_t> find(std::string_view name) const;
  // Throws Error that names the columns there are.
  std::size_t require(std::string_view name) const;

  // The next row; false at the end. Throws Error for damaged quoting or another number of fields.
  bool next();

  std::int64_t line() const { return row_.line; }
  // Without white space at both ends; empty for a column that there is not.
  std::string_view field(std::optional<std::size_t> column) const;
  // As it stands.
  std::string_view raw_field(std::size_t column) const { return row_.fields[column]; }

  [[noreturn]] void fail(std::string_view message) const;  // about the row

 private:
  CsvReader reader_;
  const std::string& file_;
  CsvRow header_;
  CsvRow row_;
};

}  // namespace actionclip
