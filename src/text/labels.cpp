#include "actionclip/text/labels.h"

#include <algorithm>
#include <functional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"
#include "actionclip/core/text_input.h"
#include "actionclip/text/csv.h"

#include "text/label_json.h"
#include "text/utf8.h"

namespace actionclip {
namespace {

constexpr std::size_t kFileLimit = 64u << 20;
constexpr std::size_t kFixedColumns = 2;  // id, name

// Throws Error at the first name that cannot be a label; `place` tells where the name of an index stands.
void check_names(const std::vector<std::string>& names,
                 const std::function<std::string(std::size_t)>& place) {
  std::unordered_map<std::string_view, std::size_t> seen;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string& name = names[i];
    detail::require_utf8(name, place(i) + ": the name");
    if (trimmed(name).empty()) throw Error(place(i) + ": the name is blank");
    if (std::ranges::any_of(name, [](unsigned char c) { return c < 0x20 || c == 0x7f; })) {
      throw Error(
          fmt::format("{}: the name \"{}\" holds a control character", place(i), detail::excerpt(name)));
    }
    const auto [first, is_new] = seen.emplace(name, i);
    if (!is_new) {
      throw Error(fmt::format("{}: the name \"{}\" was given before, at {}", place(i), detail::excerpt(name),
                              place(first->second)));
    }
  }
}

void check_header(const CsvRow& header, const std::string& file) {
  const auto& fields = header.fields;
  if (fields.size() < kFixedColumns || fields[0] != "id" || fields[1] != "name") {
    throw Error(fmt::format("{}:{}: the header must begin with id,name but is {}", file, header.line,
                            detail::excerpt(fmt::format("{}", fmt::join(fields, ",")))));
  }
  std::unordered_set<std::string_view> seen;
  for (const auto& field : fields) {
    detail::require_utf8(field, fmt::format("{}:{}: a column's name", file, header.line));
    if (field.empty() || !seen.insert(field).second) {
      throw Error(fmt::format("{}:{}: column \"{}\" has no name of its own", file, header.line,
                              detail::excerpt(field)));
    }
  }
}

LabelSet labels_of_csv(std::string_view text, const std::string& file) {
  const auto rows = parse_csv(text, file);
  if (rows.empty()) throw Error(fmt::format("{}: holds no labels", file));
  const auto& header = rows.front();
  check_header(header, file);
  const std::size_t count = rows.size() - 1;
  if (count == 0) throw Error(fmt::format("{}: holds no labels behind the header", file));

  std::vector<LabelColumn> columns;
  for (const auto& name : header.fields) columns.push_back({name, std::vector<std::string>(count)});
  std::vector<std::int64_t> lines(count, 0);  // by id; 0: not yet given
  for (std::size_t r = 1; r <= count; ++r) {
    const auto& row = rows[r];
    const std::string place = fmt::format("{}:{}", file, row.line);
    if (row.fields.size() != columns.size()) {
      throw Error(fmt::format("{}: {} fields where the header has {}; a name with a comma needs quotes",
                              place, row.fields.size(), columns.size()));
    }
    const std::size_t id = detail::read_label_id(row.fields[0], count, place);
    if (lines[id] != 0)
      throw Error(fmt::format("{}: id {} was given before, at {}:{}", place, id, file, lines[id]));
    lines[id] = row.line;
    for (std::size_t c = 0; c < columns.size(); ++c) columns[c].values[id] = row.fields[c];
  }

  std::vector<std::string> names;
  for (const auto& name : columns[1].values) names.emplace_back(trimmed(name));
  check_names(names, [&](std::size_t id) { return fmt::format("{}:{}", file, lines[id]); });
  columns.erase(columns.begin(), columns.begin() + kFixedColumns);
  return LabelSet(std::move(names), std::move(columns), file);
}

LabelSet labels_of_lines(std::string_view text, const std::string& file) {
  std::vector<std::string> names;
  std::vector<std::int64_t> lines;
  for (std::int64_t line = 1; !text.empty(); ++line) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const auto name = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (name.empty()) continue;
    names.emplace_back(name);
    lines.push_back(line);
  }
  if (names.empty()) throw Error(fmt::format("{}: holds no labels", file));
  check_names(names, [&](std::size_t i) { return fmt::format("{}:{}", file, lines[i]); });
  return LabelSet(std::move(names), {}, file);
}

LabelSet labels_of_json(std::string_view text, const std::string& file) {
  auto [names, lines] = detail::labels_of_json(text, file);
  check_names(names, [&, &lines = lines](std::size_t id) { return fmt::format("{}:{}", file, lines[id]); });
  return LabelSet(std::move(names), {}, file);
}

bool has_csv_header(std::string_view text) {
  const auto first_line = trimmed(text.substr(0, text.find('\n')));
  return first_line == "id,name" || first_line.starts_with("id,name,");
}

}  // namespace

LabelSet::LabelSet(std::vector<std::string> names, std::vector<LabelColumn> columns, std::string source)
    : names_(std::move(names)), columns_(std::move(columns)), source_(std::move(source)) {
  if (names_.empty()) throw Error("a label set needs at least one label");
  check_names(names_, [](std::size_t id) { return fmt::format("label {}", id); });
  for (const auto& column : columns_) {
    if (column.values.size() != names_.size()) {
      throw Error(fmt::format("label column \"{}\" has {} values for {} labels", column.name,
                              column.values.size(), names_.size()));
    }
  }
}

const std::string& LabelSet::name(std::int64_t label_id) const {
  if (label_id < 0 || label_id >= size()) {
    throw Error(fmt::format("label id {} does not exist; {} labels have the ids 0 to {}", label_id, size(),
                            size() - 1));
  }
  return names_[static_cast<std::size_t>(label_id)];
}

const std::vector<std::string>& LabelSet::column(std::string_view name) const {
  std::vector<std::string> known;
  for (const auto& column : columns_) {
    if (column.name == name) return column.values;
    known.push_back(column.name);
  }
  throw Error(fmt::format("{}: no column \"{}\"; the columns beside id and name: {}", source_, name,
                          known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", "))));
}

LabelSet read_labels(const std::filesystem::path& file) {
  return parse_labels(read_text_file(file, kFileLimit), file.string());
}

LabelSet parse_labels(std::string_view text, const std::string& name) {
  text = without_byte_order_mark(text);
  if (name.ends_with(".json")) return labels_of_json(text, name);
  const bool is_csv = name.ends_with(".csv") || has_csv_header(text);
  return is_csv ? labels_of_csv(text, name) : labels_of_lines(text, name);
}

}  // namespace actionclip
