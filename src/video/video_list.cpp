// The CSV of caption lists is read here: its two columns do not justify another library, and every message
// needs the line.
#include "actionclip/video/video_list.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"

namespace actionclip {
namespace {

constexpr std::string_view kBlank = " \t\r";

// A list's text with the place that is being read.
struct Cursor {
  const std::filesystem::path& file;
  std::string_view rest;
  std::int64_t line = 1;  // of the first character of `rest`

  [[noreturn]] void fail(const std::string& message, std::int64_t at_line) const {
    throw Error(fmt::format("{}:{}: {}", file.string(), at_line, message));
  }

  // Skips empty lines and comments; false at the end.
  bool find_line() {
    while (!rest.empty()) {
      const std::string_view text = rest.substr(0, rest.find('\n'));
      const auto start = text.find_first_not_of(kBlank);
      if (start != std::string_view::npos && text[start] != '#') return true;
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

std::string_view trim(std::string_view text) {
  const auto start = text.find_first_not_of(kBlank);
  if (start == std::string_view::npos) return {};
  return text.substr(start, text.find_last_not_of(kBlank) - start + 1);
}

// Splits the last word off `text`.
std::string_view take_last_word(std::string_view& text) {
  const auto space = text.find_last_of(" \t");
  const auto word = space == std::string_view::npos ? text : text.substr(space + 1);
  text = space == std::string_view::npos ? std::string_view() : trim(text.substr(0, space));
  return word;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "PATH LABEL_ID" or "PATH NUM_FRAMES LABEL_ID".
VideoEntry parse_line(Cursor& cursor, ListFormat format, std::int64_t label_count) {
  VideoEntry entry;
  entry.line = cursor.line;
  std::string_view rest = trim(cursor.take_line());
  const bool has_frames = format == ListFormat::frames;
  const char* expected = has_frames ? "PATH NUM_FRAMES LABEL_ID" : "PATH LABEL_ID";

  const auto label_word = take_last_word(rest);
  const auto frames_word = has_frames ? take_last_word(rest) : std::string_view();
  if (rest.empty()) cursor.fail(fmt::format("expected {}", expected), entry.line);
  const auto label_id = parse_integer(label_word);
  if (!label_id)
    cursor.fail(fmt::format("label id '{}' is not an integer (expected {})", label_word, expected),
                entry.line);
  if (label_count >= 0 && (*label_id < 0 || *label_id >= label_count)) {
    cursor.fail(fmt::format("label id {} is not in 0..{}", *label_id, label_count - 1), entry.line);
  }
  if (has_frames) {
    const auto frame_count = parse_integer(frames_word);
    if (!frame_count || *frame_count <= 0) {
      cursor.fail(
          fmt::format("frame count '{}' is not a positive integer (expected {})", frames_word, expected),
          entry.line);
    }
    entry.frame_count = *frame_count;
  }
  entry.label_id = *label_id;
  entry.path = rest;
  return entry;
}

// A field in quotes, which may hold commas, doubled quotes and line breaks; `cursor` stands on the opening
// quote.
std::string take_quoted_field(Cursor& cursor, std::int64_t record_line) {
  std::string field;
  cursor.rest.remove_prefix(1);
  while (true) {
    const auto quote = cursor.rest.find('"');
    if (quote == std::string_view::npos) cursor.fail("a quoted field is not closed", record_line);
    const std::string_view part = cursor.rest.substr(0, quote);
    cursor.line += std::count(part.begin(), part.end(), '\n');
    field += part;
    cursor.rest.remove_prefix(quote + 1);
    if (!cursor.rest.starts_with('"')) return field;
    field += '"';
    cursor.rest.remove_prefix(1);
  }
}

// One record of RFC 4180.
std::vector<std::string> take_record(Cursor& cursor) {
  const std::int64_t record_line = cursor.line;
  std::vector<std::string> fields;
  while (true) {
    if (cursor.rest.starts_with('"')) {
      fields.push_back(take_quoted_field(cursor, record_line));
    } else {
      const auto field = cursor.rest.substr(0, cursor.rest.find_first_of(",\n"));
      if (field.find('"') != std::string_view::npos) {
        cursor.fail("a quote inside a field that is not quoted; write \"...\"\"...\"", record_line);
      }
      cursor.rest.remove_prefix(field.size());
      fields.emplace_back(field.ends_with('\r') ? field.substr(0, field.size() - 1) : field);
    }
    if (cursor.rest.starts_with(',')) {
      cursor.rest.remove_prefix(1);
      continue;
    }
    const std::string_view after = cursor.take_line();
    if (!after.empty() && after != "\r") cursor.fail("text after a closing quote", record_line);
    return fields;
  }
}

VideoEntry parse_caption(Cursor& cursor) {
  VideoEntry entry;
  entry.line = cursor.line;
  auto fields = take_record(cursor);
  if (fields.size() != 2) {
    cursor.fail(
        fmt::format("{} fields, expected 2 (path,caption); a field with a comma needs quotes", fields.size()),
        entry.line);
  }
  if (fields[0].empty()) cursor.fail("the path is empty", entry.line);
  if (trim(fields[1]).empty()) cursor.fail("the caption is empty", entry.line);
  entry.path = fields[0];
  entry.caption = std::move(fields[1]);
  return entry;
}

}  // namespace

VideoList read_video_list(const DatasetConfig& config, std::int64_t label_count) {
  VideoList list{config.list.path, config, {}};
  const std::string text = read_text_file(list.file);
  Cursor cursor{list.file, text};
  if (cursor.rest.starts_with("\xEF\xBB\xBF"))
    cursor.rest.remove_prefix(3);  // the mark that some editors put before UTF-8
  if (const auto zero = text.find('\0'); zero != std::string::npos) {
    cursor.fail("holds a zero byte, so it is not a text file",
                1 + std::count(text.begin(), text.begin() + zero, '\n'));
  }
  const auto root = config.root.empty() ? list.file.parent_path() : config.root.path;
  const bool has_captions = config.format == ListFormat::captions;
  if (has_captions && cursor.find_line()) {
    const std::int64_t line = cursor.line;
    if (take_record(cursor) != std::vector<std::string>{"path", "caption"}) {
      cursor.fail("the first line must be the header path,caption", line);
    }
  }
  while (cursor.find_line()) {
    list.entries.push_back(has_captions ? parse_caption(cursor)
                                        : parse_line(cursor, config.format, label_count));
    auto& path = list.entries.back().path;
    path = root / path;
  }
  if (list.entries.empty()) cursor.fail("the list holds no video", cursor.line);
  return list;
}

}  // namespace actionclip
