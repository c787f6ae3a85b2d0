// Kinetics' CSV files.

#include <optional>

#include <fmt/format.h>

#include "actionclip/core/text_input.h"
#include "actionclip/text/label_matcher.h"
#include "actionclip/video/annotations.h"

#include "video/list_formats/csv_columns.h"
#include "video/list_formats/kinetics_layout.h"
#include "video/list_formats/list_text.h"

namespace actionclip {
namespace {

double read_seconds(const CsvColumns& columns, std::size_t column) {
  constexpr double kMost = 1e6;  // six digits in the names of files
  const auto text = columns.field(column);
  const auto seconds = parse_number(text);
  if (!seconds || *seconds < 0 || *seconds >= kMost) {
    columns.fail(fmt::format("{} '{}' is not a number of seconds", columns.names()[column], text));
  }
  return *seconds;
}

}  // namespace

void parse_kinetics_annotations(std::string_view text, const std::string& file,
                                const AnnotationVisitor& visit) {
  text = checked_text(text, file);
  CsvColumns columns(text, file);
  const auto id = columns.require("youtube_id");
  const auto start = columns.require("time_start");
  const auto end = columns.require("time_end");
  const auto label = columns.find("label");
  const auto split = columns.find("split");
  Annotation annotation;
  while (columns.next()) {
    annotation.id = columns.field(id);
    if (annotation.id.empty()) columns.fail("the youtube_id is empty");
    annotation.labels.clear();
    if (const auto name = columns.field(label); !name.empty()) annotation.labels.emplace_back(name);
    annotation.start = read_seconds(columns, start);
    annotation.end = read_seconds(columns, end);
    annotation.split = columns.field(split);
    annotation.line = columns.line();
    if (!visit(annotation)) return;
  }
}

void add_kinetics(const ListText& source, VideoList& list) {
  const LabelMatcher matcher(required_labels(source.labels, source.file));
  NameResolver names(matcher, source.file);
  KineticsLayout layout(list.root());
  const auto label_of = [&](const Annotation& video) {
    if (video.labels.empty())
      fail_at(source.file, video.line, "no label: a test split whose classes are held back");
    return static_cast<std::int32_t>(names.resolve(video.labels.front(), video.line));
  };
  bool is_empty = true;
  parse_kinetics_annotations(source.text, source.file, [&](const Annotation& video) {
    is_empty = false;
    label_of(video);
    return layout.probe(video);
  });
  if (is_empty) return;
  layout.decide(source.file);
  parse_kinetics_annotations(source.text, source.file, [&](const Annotation& video) {
    const std::int32_t label_id = label_of(video);
    const std::string path = layout.path_of(video);
    list.add(VideoEntryView{.path = path, .label_ids = {&label_id, 1}, .line = video.line});
    return true;
  });
  names.finish();
}

}  // namespace actionclip
