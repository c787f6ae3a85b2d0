// Some of a list's videos as a list of their own. Torch-free.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "actionclip/video/video_list.h"

namespace actionclip {

// The entries with these indices, in this order; their lines are those of `list`. `new_ids`, by label id:
// what the label ids become; empty: they stay. Throws std::out_of_range for an index or label id beyond the
// ends.
VideoList part_of(const VideoList& list, const std::vector<std::int64_t>& indices,
                  const std::vector<std::int64_t>& new_ids = {});

// A list of one label a video as a CSV in the format `table`, with absolute paths.
std::string table_text(const VideoList& list);

}  // namespace actionclip
