// A part of a video.
#pragma once

#include <limits>

namespace actionclip {

// Seconds from the video's first frame.
struct TimeRange {
  double start = 0;
  double end = std::numeric_limits<double>::infinity();

  bool whole() const { return start <= 0 && end == std::numeric_limits<double>::infinity(); }
  bool operator==(const TimeRange&) const = default;
};

}  // namespace actionclip
