#include "actionclip/video/list_filter.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"
#include "actionclip/core/json_text.h"
#include "actionclip/core/text_input.h"
#include "actionclip/text/csv.h"

namespace actionclip {
namespace {

bool is_csv(ListFormat format) { return format != ListFormat::video && format != ListFormat::frames; }

// Where lines 1, 2 ... begin, and the end.
std::vector<std::size_t> line_starts(std::string_view text) {
  std::vector<std::size_t> starts = {0};
  for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n', end + 1)) {
    starts.push_back(end + 1);
  }
  if (starts.back() != text.size()) starts.push_back(text.size());
  return starts;
}

// The first lines of a list's records: a record of a CSV may have several lines.
std::vector<std::int64_t> record_lines(std::string_view text, const VideoList& list, std::int64_t lines) {
  std::vector<std::int64_t> records;
  if (is_csv(list.config().format)) {
    for (const auto& row : parse_csv(text, list.file().string())) records.push_back(row.line);
  } else {
    for (std::int64_t line = 1; line <= lines; ++line) records.push_back(line);
  }
  return records;
}

FilteredList filter_text(std::string_view text, const VideoList& list, const std::set<std::int64_t>& lines) {
  text = without_byte_order_mark(text);
  const auto starts = line_starts(text);
  const auto records = record_lines(text, list, std::ssize(starts) - 1);
  FilteredList result;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto begin = starts[static_cast<std::size_t>(records[i] - 1)];
    const auto end =
        i + 1 < records.size() ? starts[static_cast<std::size_t>(records[i + 1] - 1)] : text.size();
    const auto record = text.substr(begin, end - begin);
    const bool is_header = i == 0 && is_csv(list.config().format);
    const bool remove = lines.contains(records[i]);
    if (remove || is_header) result.removed += record;
    if (!remove) result.kept += record;
  }
  return result;
}

// A JSON list of objects, one an `id`, which is the name of its video.
FilteredList filter_json(const std::string& text, const VideoList& list,
                         const std::unordered_set<std::string>& ids) {
  try {
    auto kept = nlohmann::ordered_json::array(), removed = nlohmann::ordered_json::array();
    for (auto& object : nlohmann::ordered_json::parse(text)) {
      const auto& id = object.at("id");
      const bool remove = ids.contains(id.is_string() ? id.get<std::string>() : id.dump());
      (remove ? removed : kept).push_back(std::move(object));
    }
    return {json_text(kept) + "\n", json_text(removed) + "\n"};
  } catch (const nlohmann::json::exception& problem) {
    throw Error(fmt::format("{}: {}", list.file().string(), problem.what()));
  }
}

}  // namespace

FilteredList filter_list(const VideoList& list, const std::vector<std::int64_t>& indices) {
  if (list.config().format == ListFormat::class_folders) {
    throw Error(
        fmt::format("{}: a folder of classes has no lines to leave out; make a list of it with "
                    "`actionclip dataset prepare class_folders`",
                    list.file().string()));
  }
  const std::string text = read_text_file(list.file());
  std::set<std::int64_t> lines;
  std::unordered_set<std::string> ids;
  for (const auto index : indices) {
    const auto entry = list.entry(index);
    lines.insert(entry.line);
    ids.insert(entry.path.stem().string());
  }
  if (list.config().format == ListFormat::something_something) return filter_json(text, list, ids);
  return filter_text(text, list, lines);
}

}  // namespace actionclip
