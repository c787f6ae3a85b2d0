// Charades' CSV files.

#include <algorithm>
#include <optional>
#include <vector>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "actionclip/core/text_input.h"
#include "actionclip/video/annotations.h"

#include "video/list_formats/csv_columns.h"
#include "video/list_formats/list_text.h"

namespace actionclip {
namespace {

// The number of a class "c092".
std::optional<std::int64_t> class_number(std::string_view code) {
  const bool is_code = code.size() > 1 && code.starts_with('c') &&
                       code.find_first_not_of("0123456789", 1) == std::string_view::npos;
  return is_code ? parse_integer(code.substr(1)) : std::nullopt;
}

bool is_seconds(std::string_view text) {
  const auto seconds = parse_number(text);
  return seconds && *seconds >= 0;
}

// The class of an action "c092 11.90 21.20"; empty if it is none.
std::string_view class_of(std::string_view action) {
  const auto code_end = action.find(' ');
  const auto start_end = action.find(' ', code_end == std::string_view::npos ? code_end : code_end + 1);
  if (start_end == std::string_view::npos) return {};
  const auto code = action.substr(0, code_end);
  const auto start = action.substr(code_end + 1, start_end - code_end - 1);
  const bool is_action = class_number(code) && is_seconds(start) && is_seconds(action.substr(start_end + 1));
  return is_action ? code : std::string_view();
}

}  // namespace

void parse_charades_annotations(std::string_view text, const std::string& file,
                                const AnnotationVisitor& visit) {
  text = checked_text(text, file);
  CsvColumns columns(text, file);
  const auto id = columns.require("id");
  const auto actions = columns.require("actions");
  Annotation annotation;
  while (columns.next()) {
    annotation.id = columns.field(id);
    if (annotation.id.empty()) columns.fail("the id is empty");
    annotation.labels.clear();
    annotation.line = columns.line();
    for (std::string_view rest = columns.field(actions); !rest.empty();) {
      const auto end = std::min(rest.find(';'), rest.size());
      const auto action = trimmed(rest.substr(0, end));
      const auto code = class_of(action);
      if (code.empty())
        columns.fail(
            fmt::format("action '{}' is not a class, a start and an end (c092 11.90 21.20)", action));
      if (std::ranges::find(annotation.labels, code) == annotation.labels.end())
        annotation.labels.emplace_back(code);
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    if (!visit(annotation)) return;
  }
}

void add_charades(const ListText& source, VideoList& list) {
  std::int64_t without_action = 0;
  std::vector<std::int32_t> ids;
  parse_charades_annotations(source.text, source.file, [&](const Annotation& video) {
    if (video.labels.empty()) {
      ++without_action;
      return true;
    }
    ids.clear();
    for (const auto& code : video.labels)
      ids.push_back(checked_label_id(source, video.line, *class_number(code)));
    const std::string path = video.id + ".mp4";
    list.add(VideoEntryView{.path = path, .label_ids = ids, .line = video.line});
    return true;
  });
  if (without_action > 0)
    spdlog::info("{}: {} videos show no action of a class, and are left out", source.file, without_action);
}

}  // namespace actionclip
