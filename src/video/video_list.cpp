#include "actionclip/video/video_list.h"

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"
#include "actionclip/core/text_input.h"
#include "actionclip/text/csv.h"
#include "actionclip/video/sampler.h"

namespace actionclip {
namespace {

[[noreturn]] void fail(const std::filesystem::path& file, std::int64_t line, const std::string& message) {
  throw Error(fmt::format("{}:{}: {}", file.string(), line, message));
}

// "# words", or "#" alone. "#1.mp4 3" is a video: data sets have such names (HMDB51).
bool is_comment(std::string_view line) {
  return line.starts_with('#') && (line.size() == 1 || line[1] == ' ' || line[1] == '\t');
}

// A list's text with the place that is being read.
struct Cursor {
  const std::filesystem::path& file;
  std::string_view rest;
  std::int64_t line = 1;  // of the first character of `rest`

  // Skips empty lines and comments; false at the end.
  bool find_line() {
    while (!rest.empty()) {
      const auto text = trimmed(rest.substr(0, rest.find('\n')));
      if (!text.empty() && !is_comment(text)) return true;
      take_line();
    }
    return false;
  }

  std::string_view take_line() {
    const auto end = rest.find('\n');
    const std::string_view text = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    ++line;
    return text;
  }
};

// Splits the last word off `text`.
std::string_view take_last_word(std::string_view& text) {
  const auto space = text.find_last_of(" \t");
  const auto word = space == std::string_view::npos ? text : text.substr(space + 1);
  text = space == std::string_view::npos ? std::string_view() : trimmed(text.substr(0, space));
  return word;
}

// "PATH LABEL_ID" or "PATH NUM_FRAMES LABEL_ID".
VideoEntry parse_line(Cursor& cursor, ListFormat format, std::int64_t label_count) {
  VideoEntry entry;
  entry.line = cursor.line;
  std::string_view rest = trimmed(cursor.take_line());
  const bool has_frames = format == ListFormat::frames;
  const char* expected = has_frames ? "PATH NUM_FRAMES LABEL_ID" : "PATH LABEL_ID";

  const auto label_word = take_last_word(rest);
  const auto frames_word = has_frames ? take_last_word(rest) : std::string_view();
  if (rest.empty()) fail(cursor.file, entry.line, fmt::format("expected {}", expected));
  const auto label_id = parse_integer(label_word);
  if (!label_id) {
    fail(cursor.file, entry.line,
         fmt::format("label id '{}' is not an integer (expected {})", label_word, expected));
  }
  if (label_count >= 0 && (*label_id < 0 || *label_id >= label_count)) {
    fail(cursor.file, entry.line, fmt::format("label id {} is not in 0..{}", *label_id, label_count - 1));
  }
  if (has_frames) {
    const auto frame_count = parse_integer(frames_word);
    if (!frame_count || *frame_count <= 0) {
      fail(cursor.file, entry.line,
           fmt::format("frame count '{}' is not a positive integer (expected {})", frames_word, expected));
    }
    if (*frame_count > kMaxFrameCount) {
      fail(cursor.file, entry.line,
           fmt::format("frame count {} is more than the {} that a video may have", *frame_count,
                       kMaxFrameCount));
    }
    entry.frame_count = *frame_count;
  }
  entry.label_id = *label_id;
  entry.path = rest;
  return entry;
}

// CSV with the header `path,caption`.
std::vector<VideoEntry> parse_captions(std::string_view text, const std::filesystem::path& file) {
  auto rows = parse_csv(text, file.string());
  if (rows.empty() || rows[0].fields != std::vector<std::string>{"path", "caption"}) {
    fail(file, rows.empty() ? 1 : rows[0].line, "the first line must be the header path,caption");
  }
  std::vector<VideoEntry> entries;
  for (auto& [line, fields] : std::span(rows).subspan(1)) {
    if (fields.size() != 2) {
      fail(file, line,
           fmt::format("{} fields, expected 2 (path,caption); a field with a comma needs quotes",
                       fields.size()));
    }
    if (fields[0].empty()) fail(file, line, "the path is empty");
    if (trimmed(fields[1]).empty()) fail(file, line, "the caption is empty");
    VideoEntry entry;
    entry.line = line;
    entry.path = fields[0];
    entry.caption = std::move(fields[1]);
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::vector<VideoEntry> parse_lines(std::string_view text, const DatasetConfig& config,
                                    std::int64_t label_count) {
  std::vector<VideoEntry> entries;
  Cursor cursor{config.list.path, text};
  while (cursor.find_line()) entries.push_back(parse_line(cursor, config.format, label_count));
  return entries;
}

}  // namespace

VideoList read_video_list(const DatasetConfig& config, std::int64_t label_count) {
  return parse_video_list(read_text_file(config.list.path), config, label_count);
}

VideoList parse_video_list(std::string_view text, const DatasetConfig& config, std::int64_t label_count) {
  VideoList list{config.list.path, config, {}};
  text = without_byte_order_mark(text);
  const auto lines_before = [&](std::size_t end) {
    return std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end), '\n');
  };
  if (const auto zero = text.find('\0'); zero != std::string_view::npos) {
    fail(list.file, 1 + lines_before(zero), "holds a zero byte, so it is not a text file");
  }
  list.entries = config.format == ListFormat::captions ? parse_captions(text, list.file)
                                                       : parse_lines(text, config, label_count);
  if (list.entries.empty()) fail(list.file, 1 + lines_before(text.size()), "the list holds no video");
  const auto root = config.root.empty() ? list.file.parent_path() : config.root.path;
  for (auto& entry : list.entries) entry.path = root / entry.path;
  return list;
}

}  // namespace actionclip
