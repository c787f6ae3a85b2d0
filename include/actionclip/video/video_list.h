// Lists of videos: what a data set consists of. Torch-free.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "actionclip/text/labels.h"
#include "actionclip/video/config.h"
#include "actionclip/video/time_range.h"

namespace actionclip {

struct VideoEntry {
  std::filesystem::path path;           // root folder applied
  std::vector<std::int32_t> label_ids;  // empty: a caption's; several: of a multi-label data set
  std::int64_t frame_count = -1;        // frame folders: from the list; -1: to be found out
  TimeRange range;                      // the part of the video that is meant
  std::string caption;                  // caption lists
  std::int64_t line = 0;  // in the list, from 1: for messages (class_folders: the place in the order)

  // The first label; -1: none.
  std::int64_t label_id() const { return label_ids.empty() ? -1 : label_ids.front(); }
};

// An entry whose texts lie elsewhere, as a list's parser has it.
struct VideoEntryView {
  std::string_view path;
  std::span<const std::int32_t> label_ids;
  std::int64_t frame_count = -1;
  TimeRange range;
  std::string_view caption;
  std::int64_t line = 0;
};

// Entries in little memory: a million, with 60 bytes of path each, in 90 MB.
class VideoList {
 public:
  // No entries. Paths are relative to config.root, or to the folder of config.list if there is no root.
  explicit VideoList(DatasetConfig config = {});

  void add(const VideoEntryView& entry);
  void add(const VideoEntry& entry);

  // Makes room, so that adding so many entries never copies those that are there.
  void reserve(std::size_t entries) { rows_.reserve(entries); }

  const std::filesystem::path& file() const { return config_.list.path; }
  const DatasetConfig& config() const { return config_; }
  const std::filesystem::path& root() const { return root_; }

  std::int64_t size() const { return static_cast<std::int64_t>(rows_.size()); }
  bool empty() const { return rows_.empty(); }

  // Throw std::out_of_range unless 0 <= index < size().
  VideoEntry entry(std::int64_t index) const;
  std::int64_t label_id(std::int64_t index) const { return row(index).label_id; }
  std::int64_t line(std::int64_t index) const { return row(index).line; }

  // How many labels a video has.
  std::size_t label_count(std::int64_t index) const;

  // SHA-256 (hexadecimal) of the file that was read; class_folders: of the names in it. Empty for a list that
  // was made in code.
  const std::string& fingerprint() const { return fingerprint_; }
  void set_fingerprint(std::string fingerprint) { fingerprint_ = std::move(fingerprint); }

 private:
  // Where a text lies in `texts_`: its block, then 20 bits of offset in it.
  struct Text {
    std::uint32_t place = 0;
    std::uint32_t size = 0;
  };

  struct Row {
    Text path;
    std::int32_t label_id = -1;
    std::uint32_t frame_count = 0;  // 0: to be found out
    std::uint32_t line = 0;
    std::uint32_t details = 0;  // index in `details_`, from 1; 0: none
  };

  // What few lists have.
  struct Details {
    TimeRange range;
    Text caption;
    std::uint32_t first_label = 0;  // index in `label_ids_`
    std::uint32_t label_count = 0;  // 0: the row's label is all
  };

  const Row& row(std::int64_t index) const { return rows_.at(static_cast<std::size_t>(index)); }
  Text keep(std::string_view text);
  std::string_view text(const Text& kept) const;
  std::uint32_t keep_details(const VideoEntryView& entry);

  DatasetConfig config_;
  std::filesystem::path root_;
  std::string fingerprint_;
  std::vector<Row> rows_;
  // Blocks of 1 MiB, so that growing copies nothing; a longer text has one of its own.
  std::vector<std::string> texts_;
  std::vector<Details> details_;
  std::vector<std::int32_t> label_ids_;
};

// Reads the list that `config` names:
//   video     lines PATH LABEL_ID. Paths may contain spaces (numbers are taken from the end of the line).
//             Empty lines and comments are skipped: a '#' at the line's start with a blank or nothing behind
//             it, so that "#1.mp4 3" is a video (and "./# 1.mp4 3" another). mmaction2's multi-label lines
//             "PATH 3 17" cannot be told from a path with a blank: those become a `table`.
//   frames    lines PATH NUM_FRAMES LABEL_ID, likewise; the paths are frame folders.
//   table     CSV whose header names, in any order, `path`, `label` (an id, or the name of a label; several
//             are separated by ';', and ids by blanks too) and optionally `start`, `end` (seconds; empty:
//             from the beginning, to the end) and `frames` (their number). A path that is a folder, or has
//             `frames`, is a frame folder.
//   captions  CSV with the header `path,caption`.
//   kinetics, something_something, charades
//             the data sets' annotations (annotations.h), whose class names are matched to the labels
//             (LabelMatcher); Charades' classes c000, c001 ... are the label ids, and its videos without any
//             action are left out, as there is nothing to learn from them or to score.
//             Where the videos are, below root: Something-Something's ID.webm, Charades' ID.mp4. Kinetics':
//             CLASS/ID_START_END.mp4 (six digits each), the same without the class, without the times or in
//             a folder named as the split, ending in mp4, mkv, webm or avi: in the one of these ways that
//             finds most of the first 16 videos that are there. What lies in several ways, or is to be
//             looked up one by one, needs a list of `actionclip dataset prepare`.
//   class_folders
//             `list` is a folder. The folders in it are classes, matched to the labels; the video files and
//             frame folders in each, sorted by name, are its videos. What is hidden, and other files, are
//             passed over.
// The videos themselves are not opened. `labels`: what the ids and names stand for; nullptr: ids are not
// checked, and names refused. Throws Error with file:line for: a malformed line, a label that does not exist,
// a frame count beyond kMaxFrameCount, an empty list.
VideoList read_video_list(const DatasetConfig& config, const LabelSet* labels);

// The same for a list whose text is at hand (not of class_folders); `config.list` is only its name in
// messages and the place that relative paths start from.
VideoList parse_video_list(std::string_view text, const DatasetConfig& config, const LabelSet* labels);

// The labels that a list itself names, sorted: for what reads it for its videos, and has no use for the ids
// that a label file would give them. None where it has ids. Throws Error as read_video_list().
std::optional<LabelSet> own_labels(const DatasetConfig& config);

// Throws Error that names the first video of several labels, for what (`who`) takes one label a video.
void require_single_labels(const VideoList& list, std::string_view who);

}  // namespace actionclip
