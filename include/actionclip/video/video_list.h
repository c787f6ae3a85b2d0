// Lists of videos: the lines of a data set. Torch-free.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "actionclip/video/config.h"
#include "actionclip/video/time_range.h"

namespace actionclip {

struct VideoEntry {
  std::filesystem::path path;     // root folder applied
  std::int64_t label_id = -1;     // -1: none (captions)
  std::int64_t frame_count = -1;  // frame folders: from the list; -1: to be found out
  TimeRange range = {};           // the part of a video file that counts
  std::string caption = "";       // caption lists
  std::int64_t line = 0;          // in the list, from 1: for messages
};

struct VideoList {
  std::filesystem::path file;
  DatasetConfig config;
  std::vector<VideoEntry> entries;
};

// Reads the list that `config` names. Paths may contain spaces (numbers are taken from the end of the line).
// Empty lines and comments are skipped: a '#' at the line's start with a blank or nothing behind it, so that
// "#1.mp4 3" is a video (and "./# 1.mp4 3" another). A CSV of captions has no comments. Throws Error with
// file:line for: a malformed line, a label id outside [0, label_count) (label_count < 0: unchecked), a frame
// count beyond kMaxFrameCount, an empty list. The videos themselves are not opened.
VideoList read_video_list(const DatasetConfig& config, std::int64_t label_count);

// The same for a list whose text is at hand; `config.list` is only its name in messages and the place that
// relative paths start from.
VideoList parse_video_list(std::string_view text, const DatasetConfig& config, std::int64_t label_count);

}  // namespace actionclip
