// Where the frames of one video come from: a video file, or a folder of JPEG or PNG frames.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "actionclip/video/augmentation.h"
#include "actionclip/video/frame_index.h"
#include "actionclip/video/image.h"
#include "actionclip/video/time_range.h"

namespace actionclip {

// Picks frames of a video that has `frame_count` of them; must give the same answer for the same count, and
// indices that do not decrease.
using FrameChooser = std::function<std::vector<std::int64_t>(std::int64_t frame_count)>;

// Where the time that frames took went, in seconds.
struct FetchSeconds {
  double read = 0;    // waiting for the file system
  double decode = 0;  // all the rest: decoding, conversion to RGB
};

struct ChosenFrames {
  std::int64_t frame_count = 0;     // of the time range that was asked for
  std::vector<Image> frames;        // one an index that the chooser gave for that count
  std::optional<FrameIndex> index;  // what is worth remembering for the next time; none: nothing new
  FetchSeconds seconds;             // filled in by fetch_frames()
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

  // When the frames at `indices`, which exist, are shown: seconds from the first frame. Empty where that is
  // not known, as of frames in a folder. May decode the whole video the first time it is asked.
  virtual std::vector<double> seconds_of(std::span<const std::int64_t> indices) {
    static_cast<void>(indices);
    return {};
  }

  // The frames that `choose` picks among those in `range`: their number is given to it, and its indices count
  // from the first of them. In a range [start, end) are the frames shown first at such a time; where there is
  // none, the one nearest to the start, so that there always is one. `known`: what an earlier call gave for
  // this video in ChosenFrames::index, or its frame count; saves work and never changes the result. Throws as
  // read(), VideoError for a range that begins more than a second behind the last frame, and Error for a
  // range of something that has no times.
  virtual ChosenFrames read_chosen(const FrameChooser& choose, const FrameIndex& known = {},
                                   const TimeRange& range = {}) = 0;
};

}  // namespace actionclip
