// Which entries of lists are folders of frames, and which of the frames in them they mean.
#pragma once

#include <memory>
#include <string>

#include "actionclip/video/config.h"
#include "actionclip/video/frame_folder.h"
#include "actionclip/video/video_list.h"

namespace actionclip {

// Whether training takes the entry for a frame folder.
bool is_frame_folder(const VideoEntry& entry, ListFormat format);

// Its frames as the list names them; where the list tells neither their number nor, by its format, their
// names, and there is none of the usual name: all JPEG and PNG files. Throws VideoError.
std::unique_ptr<FrameFolder> open_frame_folder(const VideoEntry& entry, const DatasetConfig& config);

// What to put behind the message about a video that cannot be opened, where its list may have been read in
// the wrong format: " (if ...)"; else empty.
std::string format_hint(const VideoEntry& entry, ListFormat format);

}  // namespace actionclip
