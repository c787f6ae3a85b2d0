// The labels that a list itself tells.

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "actionclip/core/atomic_file.h"
#include "actionclip/video/annotations.h"

#include "video/list_formats/list_text.h"

namespace actionclip {
namespace {

using Parse = void (&)(std::string_view, const std::string&, const AnnotationVisitor&);

std::vector<std::string> names_in_annotations(const std::string& text, const std::string& file, Parse parse) {
  std::set<std::string> names;
  parse(text, file, [&](const Annotation& video) {
    names.insert(video.labels.begin(), video.labels.end());
    return true;
  });
  return {names.begin(), names.end()};
}

std::vector<std::string> names_in(const DatasetConfig& config) {
  const std::string file = config.list.string();
  switch (config.format) {
    case ListFormat::class_folders:
      return class_folders_in(config.list.path);
    case ListFormat::kinetics:
      return names_in_annotations(read_text_file(file), file, parse_kinetics_annotations);
    case ListFormat::something_something:
      return names_in_annotations(read_text_file(file), file, parse_something_something_annotations);
    case ListFormat::table: {
      const std::string text = read_text_file(file);
      return names_in_table(checked_text(text, file), file);
    }
    default:
      return {};  // ids
  }
}

}  // namespace

std::optional<LabelSet> own_labels(const DatasetConfig& config) {
  auto names = names_in(config);
  if (names.empty()) return std::nullopt;
  return LabelSet(std::move(names), {}, "the list's own labels");
}

}  // namespace actionclip
