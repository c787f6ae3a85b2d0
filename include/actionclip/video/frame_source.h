// Where the frames of one video come from: a video file, or a folder of JPEG or PNG frames.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "actionclip/video/image.h"

namespace actionclip {

// Picks frames of a video that has `frame_count` of them; must give the same answer for the same count, and
// indices that do not decrease.
using FrameChooser = std::function<std::vector<std::int64_t>(std::int64_t frame_count)>;

struct ChosenFrames {
  std::int64_t frame_count = 0;  // of the whole video
  std::vector<Image> frames;     // one an index that the chooser gave for that count
};

class FrameSource {
 public:
  virtual ~FrameSource() = default;

  // Frames that a full decode presents. May decode the whole video the first time it is asked.
  virtual std::int64_t frame_count() = 0;

  // Says that the frames will be resized to this short side (pixels; 0: not known, as at first): a source may
  // then give them smaller than they are where that saves time and does no harm. Their aspect ratio stays
  // exact and their short side at least `short_side`. Not for frames of which a part is enlarged.
  virtual void set_resize(std::int64_t short_side) { static_cast<void>(short_side); }

  // The frames at `indices` (0 = first), which must not decrease; repeats are allowed. Upright (rotation
  // applied), square pixels not enforced. Throws VideoError (path and reason) if one of them cannot be
  // decoded.
  virtual std::vector<Image> read(std::span<const std::int64_t> indices) = 0;

  // read(choose(n)) where n is `known_count`, or frame_count() if that is -1; a source for which counting is
  // dear needs fewer passes.
  virtual ChosenFrames read_chosen(const FrameChooser& choose, std::int64_t known_count) {
    const std::int64_t count = known_count >= 0 ? known_count : frame_count();
    return {count, read(choose(count))};
  }
};

}  // namespace actionclip
