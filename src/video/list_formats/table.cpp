// CSV with the columns path, label and optionally start, end, frames.

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "actionclip/config/suggestion.h"
#include "actionclip/core/text_input.h"
#include "actionclip/text/label_matcher.h"

#include "video/list_formats/csv_columns.h"
#include "video/list_formats/list_text.h"

namespace actionclip {
namespace {

constexpr std::array<std::string_view, 5> kColumns = {"path", "label", "start", "end", "frames"};
constexpr std::string_view kBlanks = " \t\r\n";

// Calls visit(label) for what stands between the ';' of a field.
template <typename Visit>
void for_each_label(std::string_view field, Visit visit) {
  for (bool more = true; more;) {
    const auto end = std::min(field.find(';'), field.size());
    more = end < field.size();
    visit(trimmed(field.substr(0, end)));
    field.remove_prefix(more ? end + 1 : end);
  }
}

// Calls visit(id) for each of `words` that is an integer, and says whether all are.
template <typename Visit>
bool for_each_id(std::string_view words, Visit visit) {
  while (!words.empty()) {
    const auto end = std::min(words.find_first_of(kBlanks), words.size());
    const auto id = parse_integer(words.substr(0, end));
    if (!id) return false;
    visit(*id);
    words = trimmed(words.substr(end));
  }
  return true;
}

bool are_ids(std::string_view words) {
  return for_each_id(words, [](std::int64_t) {});
}

class TableReader {
 public:
  TableReader(const ListText& source, VideoList& list)
      : source_(source),
        list_(list),
        columns_(source.text, source.file),
        path_(columns_.require("path")),
        label_(columns_.require("label")),
        start_(columns_.find("start")),
        end_(columns_.find("end")),
        frames_(columns_.find("frames")) {
    check_names();
    if (source.labels == nullptr) return;
    matcher_.emplace(*source.labels);
    names_.emplace(*matcher_, source.file);
  }

  void read() {
    while (columns_.next()) read_row();
    if (names_) names_->finish();
  }

 private:
  void check_names() const {
    const std::vector<std::string> known(kColumns.begin(), kColumns.end());
    for (const auto& name : columns_.names()) {
      if (std::ranges::find(known, name) != known.end()) continue;
      const auto nearest = nearest_name(name, known);
      fail_at(source_.file, columns_.header_line(),
              fmt::format("unknown column '{}'{}; a table has: {}", name,
                          nearest.empty() ? "" : fmt::format(" (nearest: '{}')", nearest),
                          fmt::join(known, ", ")));
    }
  }

  void read_row() {
    VideoEntryView entry{.path = columns_.raw_field(path_), .line = columns_.line()};
    if (trimmed(entry.path).empty()) columns_.fail("the path is empty");
    read_labels();
    entry.label_ids = ids_;
    entry.range = read_range();
    if (const auto frames = columns_.field(frames_); !frames.empty()) {
      entry.frame_count = parse_frame_count(source_, columns_.line(), frames, "");
      if (!entry.range.whole())
        columns_.fail("a frame folder has no times: leave start and end, or frames, empty");
    }
    list_.add(entry);
  }

  // Into `ids_`.
  void read_labels() {
    ids_.clear();
    const auto field = columns_.field(label_);
    if (field.empty()) columns_.fail("the label is empty");
    for_each_label(field, [&](std::string_view label) {
      if (label.empty()) columns_.fail(fmt::format("of the labels '{}' one is empty", field));
      if (are_ids(label)) {
        for_each_id(label, [&](std::int64_t id) { add_id(checked_label_id(source_, columns_.line(), id)); });
      } else {
        add_name(label);
      }
    });
  }

  void add_name(std::string_view name) {
    if (!names_)
      columns_.fail(fmt::format("label '{}' is not an id, and no labels are known; {}", name, kGiveLabels));
    add_id(static_cast<std::int32_t>(names_->resolve(std::string(name), columns_.line())));
  }

  // -1: a name that no label has, which the end of the list tells.
  void add_id(std::int32_t id) {
    if (id >= 0 && std::ranges::find(ids_, id) != ids_.end()) {
      columns_.fail(
          fmt::format("of the labels '{}' the one of id {} stands twice", columns_.field(label_), id));
    }
    ids_.push_back(id);
  }

  TimeRange read_range() const {
    TimeRange range;
    range.start = read_seconds("start", start_, range.start);
    range.end = read_seconds("end", end_, range.end);
    if (range.start < 0 || range.end <= range.start) {
      columns_.fail(fmt::format("the part from {} to {} seconds is none: 0 <= start < end is needed",
                                range.start, range.end));
    }
    return range;
  }

  double read_seconds(std::string_view name, std::optional<std::size_t> column, double empty) const {
    const auto text = columns_.field(column);
    if (text.empty()) return empty;
    const auto seconds = parse_number(text);
    if (!seconds) columns_.fail(fmt::format("{} '{}' is not a number of seconds", name, text));
    return *seconds;
  }

  const ListText& source_;
  VideoList& list_;
  CsvColumns columns_;
  std::size_t path_;
  std::size_t label_;
  std::optional<std::size_t> start_;
  std::optional<std::size_t> end_;
  std::optional<std::size_t> frames_;
  std::optional<LabelMatcher> matcher_;
  std::optional<NameResolver> names_;
  std::vector<std::int32_t> ids_;
};

}  // namespace

void add_table(const ListText& source, VideoList& list) { TableReader(source, list).read(); }

std::vector<std::string> names_in_table(std::string_view text, const std::string& file) {
  CsvColumns columns(text, file);
  const auto column = columns.require("label");
  std::set<std::string, std::less<>> names;
  bool has_ids = false;
  while (columns.next()) {
    for_each_label(columns.field(column), [&](std::string_view label) {
      if (are_ids(label)) {
        has_ids = true;
      } else if (!names.contains(label)) {
        names.emplace(label);
      }
    });
  }
  return has_ids ? std::vector<std::string>() : std::vector<std::string>(names.begin(), names.end());
}

}  // namespace actionclip
