// The annotation files of data sets, one record after the other. Torch-free.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace actionclip {

struct Annotation {
  std::string id;                   // the video's
  std::vector<std::string> labels;  // as the file writes them, each once; empty: not told
  double start = 0;                 // seconds
  double end = std::numeric_limits<double>::infinity();
  std::string split;      // as the file writes it; empty: not told
  std::int64_t line = 0;  // in the file, from 1
};

// Gets the annotations in their order, and says whether to go on. The object serves again for the next one.
using AnnotationVisitor = std::function<bool(const Annotation&)>;

// Kinetics: CSV with the columns `youtube_id`, `time_start`, `time_end` and, unless it is a test split whose
// classes are held back, `label`; often `split` and others (`is_cc`), in any order. The times are of the
// clip in the YouTube video: a downloaded file `<id>_<start>_<end>.mp4` is the clip alone.
void parse_kinetics_annotations(std::string_view text, const std::string& file,
                                const AnnotationVisitor& visit);

// Something-Something v2: JSON, a list of objects with `id` and, unless it is the test split, `template`,
// whose brackets are taken out: "Pushing [something]" is the label "Pushing something". What else there is
// (`label`, `placeholders`) is not looked at.
void parse_something_something_annotations(std::string_view text, const std::string& file,
                                           const AnnotationVisitor& visit);

// Charades: CSV with the columns `id` and `actions` among others. Actions "c092 11.90 21.20;c147 0.00 12.60"
// give the labels c092 and c147 of the whole video; an empty field gives none.
void parse_charades_annotations(std::string_view text, const std::string& file,
                                const AnnotationVisitor& visit);

// `text` may begin with a byte order mark. Throw Error "file:line: ..." for a column that is missing, a
// record without an id or with an unreadable field, a zero byte.

// The same from a file, all at once.
std::vector<Annotation> read_kinetics_annotations(const std::filesystem::path& file);
std::vector<Annotation> read_something_something_annotations(const std::filesystem::path& file);
std::vector<Annotation> read_charades_annotations(const std::filesystem::path& file);

}  // namespace actionclip
