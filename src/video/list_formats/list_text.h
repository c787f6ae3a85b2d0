// What the formats of lists share. Each is a function in a file of its name: it adds the entries that a text
// holds to a list. All throw Error with file:line, as read_video_list() says.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "actionclip/text/labels.h"
#include "actionclip/video/video_list.h"

namespace actionclip {

struct ListText {
  std::string_view text;  // without byte order mark
  std::string file;
  const LabelSet* labels;  // nullptr: not known
};

void add_lines(const ListText& source, VideoList& list);  // video and frames
void add_captions(const ListText& source, VideoList& list);
void add_table(const ListText& source, VideoList& list);
void add_kinetics(const ListText& source, VideoList& list);
void add_something_something(const ListText& source, VideoList& list);
void add_charades(const ListText& source, VideoList& list);

// What is told where a list names labels that are not known.
inline constexpr std::string_view kGiveLabels =
    "give the file of the labels: data.labels in a configuration, --labels on the command line";

// The names of the labels in a table, sorted; none where some are ids.
std::vector<std::string> names_in_table(std::string_view text, const std::string& file);

// The folders of `root` that hold videos, sorted.
std::vector<std::string> class_folders_in(const std::filesystem::path& root);

// Of the folder list.file(). Returns what fingerprint() is to be.
std::string add_class_folders(const LabelSet* labels, VideoList& list);

// `text` without byte order mark. Throws Error for a zero byte.
std::string_view checked_text(std::string_view text, const std::string& file);

[[noreturn]] void fail_at(const std::string& file, std::int64_t line, std::string_view message);

// Checked against the labels, if they are known.
std::int32_t checked_label_id(const ListText& source, std::int64_t line, std::int64_t label_id);

// A frame count in a list. `hint` is put behind a message about what is none.
std::int64_t parse_frame_count(const ListText& source, std::int64_t line, std::string_view text,
                               std::string_view hint);

// The labels, for a format that names them. Throws Error if they are not known.
const LabelSet& required_labels(const LabelSet* labels, const std::string& file);

}  // namespace actionclip
