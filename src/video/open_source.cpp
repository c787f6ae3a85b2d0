#include "actionclip/video/open_source.h"

#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "actionclip/core/error.h"
#include "actionclip/core/text_input.h"
#include "actionclip/video/frame_folder.h"
#include "actionclip/video/video_reader.h"

#include "video/jpeg.h"
#include "video/regular_file.h"
#include "video/stopwatch.h"

namespace actionclip {
namespace {

// Whether a list of frame folders was read as one of videos: its lines have a frame count between path and
// label, which then ends the path.
bool is_line_of_frames(const std::filesystem::path& path) {
  std::error_code unknown;
  if (std::filesystem::is_directory(path, unknown)) return true;
  const auto name = path.filename().string();
  const auto space = name.find_last_of(" \t");
  return space != std::string::npos && parse_integer(name.substr(space + 1)) &&
         !std::filesystem::exists(path, unknown);
}

// Lists that name their videos one by one, files and folders.
bool may_hold_folders(ListFormat format) {
  return format == ListFormat::table || format == ListFormat::class_folders;
}

bool is_frame_folder(const VideoEntry& entry, ListFormat format) {
  std::error_code unknown;
  return format == ListFormat::frames || entry.frame_count >= 0 ||
         (may_hold_folders(format) && std::filesystem::is_directory(entry.path, unknown));
}

std::unique_ptr<FrameSource> open_file(const std::filesystem::path& path, double seconds_limit) {
  auto file = std::make_unique<RegularFile>(path);
  if (is_jpeg(*file)) return std::make_unique<FrameFolder>(std::vector{path});
  return std::make_unique<VideoReader>(std::move(file), seconds_limit);
}

}  // namespace

std::unique_ptr<FrameSource> open_frames(const VideoEntry& entry, const DatasetConfig& config,
                                         double seconds_limit) {
  if (is_frame_folder(entry, config.format)) {
    return std::make_unique<FrameFolder>(entry.path, config.frame_pattern, config.index_bias,
                                         entry.frame_count);
  }
  try {
    return open_file(entry.path, seconds_limit);
  } catch (const VideoError& error) {
    if (config.format != ListFormat::video || !is_line_of_frames(entry.path)) throw;
    throw VideoError(fmt::format(
        "{} (if the list's lines are PATH NUM_FRAMES LABEL_ID, set its format: frames)", error.what()));
  }
}

std::unique_ptr<FrameSource> open_frames(const std::filesystem::path& path) {
  std::error_code unknown;  // open_file() says what is wrong with a path that cannot be looked at
  if (!std::filesystem::is_directory(path, unknown)) return open_file(path, 0);
  const DatasetConfig usual;
  const auto first = path / fmt::format(fmt::runtime(usual.frame_pattern), usual.index_bias);
  if (!std::filesystem::exists(first, unknown)) return std::make_unique<FrameFolder>(image_files(path));
  return std::make_unique<FrameFolder>(path, usual.frame_pattern, usual.index_bias, -1);
}

ChosenFrames fetch_frames(const VideoEntry& entry, const DatasetConfig& config, FrameIndexCache& cache,
                          const FrameChooser& choose, double seconds_limit, const TestView& view) {
  double seconds = 0;
  const double read_before = seconds_spent_reading();
  ChosenFrames chosen;
  {
    const Stopwatch watch(seconds);
    const auto known = cache.get(entry.path);
    const auto source = open_frames(entry, config, seconds_limit);
    source->set_view(view);
    chosen = source->read_chosen(choose, known.value_or(FrameIndex()), entry.range);
    if (chosen.index) cache.put(entry.path, *chosen.index);
  }
  chosen.seconds.read = seconds_spent_reading() - read_before;
  chosen.seconds.decode = seconds - chosen.seconds.read;
  return chosen;
}

}  // namespace actionclip
