#include "actionclip/video/open_source.h"

#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "actionclip/core/error.h"
#include "actionclip/video/frame_folder.h"
#include "actionclip/video/video_reader.h"

#include "video/frame_entry.h"
#include "video/jpeg.h"
#include "video/regular_file.h"
#include "video/stopwatch.h"

namespace actionclip {
namespace {

std::unique_ptr<FrameSource> open_file(const std::filesystem::path& path, double seconds_limit) {
  auto file = std::make_unique<RegularFile>(path);
  if (is_jpeg(*file)) return std::make_unique<FrameFolder>(std::vector{path});
  return std::make_unique<VideoReader>(std::move(file), seconds_limit);
}

}  // namespace

std::unique_ptr<FrameSource> open_frames(const VideoEntry& entry, const DatasetConfig& config,
                                         double seconds_limit) {
  if (is_frame_folder(entry, config.format)) return open_frame_folder(entry, config);
  try {
    return open_file(entry.path, seconds_limit);
  } catch (const VideoError& error) {
    const std::string hint = format_hint(entry, config.format);
    if (hint.empty()) throw;
    throw VideoError(error.what() + hint);
  }
}

std::unique_ptr<FrameSource> open_frames(const std::filesystem::path& path) {
  std::error_code unknown;  // open_file() says what is wrong with a path that cannot be looked at
  if (!std::filesystem::is_directory(path, unknown)) return open_file(path, 0);
  VideoEntry entry;
  entry.path = path;
  return open_frame_folder(entry, DatasetConfig());
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
