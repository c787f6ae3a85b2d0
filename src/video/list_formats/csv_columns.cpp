#include "video/list_formats/csv_columns.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "actionclip/core/text_input.h"

#include "video/list_formats/list_text.h"

namespace actionclip {

CsvColumns::CsvColumns(std::string_view text, const std::string& file) : reader_(text, file), file_(file) {
  if (!reader_.next(header_)) fail_at(file, 1, "the first line must be a header, but there is none");
  for (auto& name : header_.fields) name = std::string(trimmed(name));
  for (const auto& name : header_.fields) {
    if (name.empty() || std::ranges::count(header_.fields, name) > 1)
      fail_at(file, header_.line, fmt::format("column '{}' has no name of its own", name));
  }
}

std::optional<std::size_t> CsvColumns::find(std::string_view name) const {
  const auto found = std::ranges::find(header_.fields, name);
  if (found == header_.fields.end()) return std::nullopt;
  return static_cast<std::size_t>(found - header_.fields.begin());
}

std::size_t CsvColumns::require(std::string_view name) const {
  if (const auto column = find(name)) return *column;
  fail_at(file_, header_.line,
          fmt::format("the header has no column '{}'; it has: {}", name, fmt::join(header_.fields, ", ")));
}

bool CsvColumns::next() {
  if (!reader_.next(row_)) return false;
  if (row_.fields.size() != header_.fields.size()) {
    fail(fmt::format("{} fields where the header has {}; a field with a comma needs quotes",
                     row_.fields.size(), header_.fields.size()));
  }
  return true;
}

std::string_view CsvColumns::field(std::optional<std::size_t> column) const {
  return column ? trimmed(row_.fields[*column]) : std::string_view();
}

void CsvColumns::fail(std::string_view message) const { fail_at(file_, row_.line, message); }

}  // namespace actionclip
