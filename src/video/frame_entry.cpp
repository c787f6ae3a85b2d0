#include "video/frame_entry.h"

#include <filesystem>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "actionclip/core/text_input.h"

namespace actionclip {
namespace {

constexpr std::string_view kFramesHint =
    "if the list's lines are PATH NUM_FRAMES LABEL_ID, set its format: frames";
constexpr std::string_view kTableHint =
    "if the list's lines are PATH and several label ids, make it a table: the header path,label and lines "
    "such as a.mp4,3;17";

bool is_folder(const std::filesystem::path& path) {
  std::error_code unknown;
  return std::filesystem::is_directory(path, unknown);
}

bool is_there(const std::filesystem::path& path) {
  std::error_code unknown;
  return std::filesystem::exists(path, unknown);
}

// Lists that name their videos one by one, files and folders.
bool may_hold_folders(ListFormat format) {
  return format == ListFormat::table || format == ListFormat::class_folders;
}

// `path` without the integers at its end, which a line has behind it.
std::string_view without_numbers(std::string_view path) {
  for (;;) {
    const auto space = path.find_last_of(" \t");
    if (space == std::string_view::npos || !parse_integer(path.substr(space + 1))) return path;
    path = trimmed(path.substr(0, space));
  }
}

}  // namespace

bool is_frame_folder(const VideoEntry& entry, ListFormat format) {
  return format == ListFormat::frames || entry.frame_count >= 0 ||
         (may_hold_folders(format) && is_folder(entry.path));
}

std::unique_ptr<FrameFolder> open_frame_folder(const VideoEntry& entry, const DatasetConfig& config) {
  const auto first = entry.path / fmt::format(fmt::runtime(config.frame_pattern), config.index_bias);
  const bool is_told = config.format == ListFormat::frames || entry.frame_count >= 0;
  if (!is_told && !is_there(first)) return std::make_unique<FrameFolder>(image_files(entry.path));
  return std::make_unique<FrameFolder>(entry.path, config.frame_pattern, config.index_bias,
                                       entry.frame_count);
}

std::string format_hint(const VideoEntry& entry, ListFormat format) {
  if (format != ListFormat::video) return "";
  if (is_folder(entry.path)) return fmt::format(" ({})", kFramesHint);
  const std::string& path = entry.path.native();
  const std::filesystem::path bare = without_numbers(path);
  if (bare.native() == path || is_there(entry.path)) return "";
  if (is_folder(bare)) return fmt::format(" ({})", kFramesHint);
  if (is_there(bare)) return fmt::format(" ({})", kTableHint);
  return fmt::format(" ({}; {})", kFramesHint, kTableHint);
}

}  // namespace actionclip
