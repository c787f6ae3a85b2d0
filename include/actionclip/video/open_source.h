// Opens what holds the frames of a video, whatever it is.
#pragma once

#include <filesystem>
#include <memory>

#include "actionclip/video/config.h"
#include "actionclip/video/frame_index_cache.h"
#include "actionclip/video/frame_source.h"
#include "actionclip/video/video_list.h"

namespace actionclip {

// The frames of a list's entry: a frame folder if the list is one of frames or gives their number, or for a
// folder that a table or class_folders names; else a video or image file. `seconds_limit`
// (data.video_seconds): from then on, reading a video file throws VideoError; 0: no limit.
// Throws VideoError (path and reason) if it cannot be opened; Error if the list's frame pattern cannot be
// used.
std::unique_ptr<FrameSource> open_frames(const VideoEntry& entry, const DatasetConfig& config,
                                         double seconds_limit = 0);

// The frames at a path that comes with no list: a video file; an image file, as a video of one frame; a
// folder with img_00001.jpg and so on, or else with any JPEG or PNG files, ordered by name. Throws as above.
std::unique_ptr<FrameSource> open_frames(const std::filesystem::path& path);

// Opens the entry once and reads the frames that `choose` picks for the true number of frames in the entry's
// time range. `cache` gets and gives what need not be found out again. The result depends on the video, the
// range, `view` and `choose` alone, never on what `cache` holds or on a container's claim. `view`: as
// FrameSource::set_view(). Thread-safe if `choose` is. Throws as open_frames() and
// FrameSource::read_chosen().
ChosenFrames fetch_frames(const VideoEntry& entry, const DatasetConfig& config, FrameIndexCache& cache,
                          const FrameChooser& choose, double seconds_limit = 0, const TestView& view = {});

}  // namespace actionclip
