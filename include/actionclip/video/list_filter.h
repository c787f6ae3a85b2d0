// Part of a list, in the form that it came in.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "actionclip/video/video_list.h"

namespace actionclip {

struct FilteredList {
  std::string kept;
  std::string removed;  // a list too
};

// Takes the entries with these indices out of the text of `list`'s file. What is left, comments included, and
// what is taken out, stand as they were (Something-Something's JSON is written anew); a CSV's header is in
// both. Throws Error if the file cannot be read, or is a folder (class_folders), which has no lines.
FilteredList filter_list(const VideoList& list, const std::vector<std::int64_t>& indices);

}  // namespace actionclip
