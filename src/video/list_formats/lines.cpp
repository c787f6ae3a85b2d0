// Lines PATH LABEL_ID, of a video file with several labels PATH LABEL_ID LABEL_ID ..., and PATH NUM_FRAMES
// LABEL_ID.

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "actionclip/core/text_input.h"

#include "video/file_ending.h"
#include "video/list_formats/list_text.h"

namespace actionclip {
namespace {

// "# words", or "#" alone. "#1.mp4 3" is a video: data sets have such names (HMDB51).
bool is_comment(std::string_view line) {
  return line.starts_with('#') && (line.size() == 1 || line[1] == ' ' || line[1] == '\t');
}

// Splits the last word off `text`.
std::string_view take_last_word(std::string_view& text) {
  const auto space = text.find_last_of(" \t");
  const auto word = space == std::string_view::npos ? text : text.substr(space + 1);
  text = space == std::string_view::npos ? std::string_view() : trimmed(text.substr(0, space));
  return word;
}

// What stands before the label in "a.mp4 3 17" is no path, where its words but the last ones, which are
// numbers, name a video file. Takes the numbers off `text`.
std::vector<std::int32_t> take_further_labels(const ListText& source, std::int64_t line,
                                              std::string_view& text) {
  std::vector<std::int64_t> numbers;
  auto rest = text;
  do {
    const auto number = parse_integer(take_last_word(rest));
    if (!number || rest.empty()) return {};
    numbers.push_back(*number);
  } while (!is_video_name(rest));
  text = rest;
  std::vector<std::int32_t> labels;
  for (auto number = numbers.rbegin(); number != numbers.rend(); ++number)
    labels.push_back(checked_label_id(source, line, *number));
  return labels;
}

void add_line(const ListText& source, std::string_view text, std::int64_t line, VideoList& list) {
  const bool has_frames = list.config().format == ListFormat::frames;
  const char* expected = has_frames ? "PATH NUM_FRAMES LABEL_ID" : "PATH LABEL_ID";
  VideoEntryView entry{.line = line};
  const auto label_word = take_last_word(text);
  const auto frames_word = has_frames ? take_last_word(text) : std::string_view();
  if (text.empty()) fail_at(source.file, line, fmt::format("expected {}", expected));
  const auto label_id = parse_integer(label_word);
  if (!label_id) {
    fail_at(source.file, line,
            fmt::format("label id '{}' is not an integer (expected {})", label_word, expected));
  }
  const std::int32_t label = checked_label_id(source, line, *label_id);
  if (has_frames) {
    entry.frame_count = parse_frame_count(source, line, frames_word, " (expected PATH NUM_FRAMES LABEL_ID)");
  }
  std::vector<std::int32_t> labels;
  if (!has_frames) labels = take_further_labels(source, line, text);
  labels.push_back(label);
  for (auto place = labels.begin(); labels.size() > 1 && place != labels.end(); ++place) {
    if (std::find(std::next(place), labels.end(), *place) != labels.end())
      fail_at(source.file, line, fmt::format("label id {} stands twice", *place));
  }
  entry.path = text;
  entry.label_ids = labels;
  list.add(entry);
}

}  // namespace

void add_lines(const ListText& source, VideoList& list) {
  std::string_view rest = source.text;
  for (std::int64_t line = 1; !rest.empty(); ++line) {
    const auto end = rest.find('\n');
    const auto text = trimmed(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (!text.empty() && !is_comment(text)) add_line(source, text, line, list);
  }
}

}  // namespace actionclip
