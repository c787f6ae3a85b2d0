// Where the frames of a list's videos go.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "actionclip/video/video_list.h"

namespace actionclip {

struct FramePlace {
  std::filesystem::path video;
  std::filesystem::path folder;  // relative to the output: as the video lies below the list's root
  std::string problem;           // why it has no frames: another video has its folder; else empty
};

struct FramePlaces {
  std::vector<FramePlace> places;       // each video once
  std::vector<std::size_t> of_entries;  // by the index of a list's entry: that of its place
};

// Of two videos that would have one folder (x.mp4 and x.avi), the first in the list gets it. Throws Error for
// an entry that is a part of a video, or does not lie below the root.
FramePlaces frame_places(const VideoList& list);

}  // namespace actionclip
