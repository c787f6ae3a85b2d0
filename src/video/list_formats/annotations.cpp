// Annotations from files.

#include "actionclip/video/annotations.h"

#include "actionclip/core/atomic_file.h"

namespace actionclip {
namespace {

using Parse = void (&)(std::string_view, const std::string&, const AnnotationVisitor&);

std::vector<Annotation> read_all(const std::filesystem::path& file, Parse parse) {
  std::vector<Annotation> annotations;
  parse(read_text_file(file), file.string(), [&](const Annotation& annotation) {
    annotations.push_back(annotation);
    return true;
  });
  return annotations;
}

}  // namespace

std::vector<Annotation> read_kinetics_annotations(const std::filesystem::path& file) {
  return read_all(file, parse_kinetics_annotations);
}

std::vector<Annotation> read_something_something_annotations(const std::filesystem::path& file) {
  return read_all(file, parse_something_something_annotations);
}

std::vector<Annotation> read_charades_annotations(const std::filesystem::path& file) {
  return read_all(file, parse_charades_annotations);
}

}  // namespace actionclip
