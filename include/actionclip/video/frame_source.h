// Where the frames of one video come from: a video file, or a folder of JPEG or PNG frames.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "actionclip/video/augmentation.h"
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

  // Says what is looked at of each frame; at first, all of it. Where that saves time and does no harm, a
  // source may then give frames smaller than they are, with the aspect ratio exact and the short side at
  // least `view.resize`, and leave black what is not looked at.
  virtual void set_view(const TestView& view) { static_cast<void>(view); }

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
