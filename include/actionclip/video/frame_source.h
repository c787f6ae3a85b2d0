// Where the frames of one video come from: a video file, or a folder of JPEG frames.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "actionclip/video/image.h"

namespace actionclip {

class FrameSource {
 public:
  virtual ~FrameSource() = default;

  // Frames that a full decode presents. May decode the whole video the first time it is asked.
  virtual std::int64_t frame_count() = 0;

  // The frames at `indices` (0 = first), which must not decrease; repeats are allowed. Upright (rotation applied), square pixels not enforced.
  // Throws VideoError (path and reason) if one of them cannot be decoded.
  virtual std::vector<Image> read(std::span<const std::int64_t> indices) = 0;
};

}  // namespace actionclip
