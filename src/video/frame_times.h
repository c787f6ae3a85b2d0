// When the frames of a video are shown, and which of them a time range holds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actionclip/video/time_range.h"

#include "video/ffmpeg.h"

namespace actionclip {

// Frames [first, first + count).
struct FrameSpan {
  std::int64_t first = 0;
  std::int64_t count = 0;
};

struct FrameTimes {
  std::vector<std::int64_t> stamps;  // a frame each, in increasing order
  AVRational unit{0, 1};             // seconds from one stamp to the next

  // Beyond, a stamp is nonsense (2^60 nanoseconds are 37 years), which sums must not overflow over.
  static constexpr std::int64_t kMaxStamp = std::int64_t{1} << 60;

  // Whether there are stamps, below kMaxStamp and increasing.
  bool are_sound() const;

  // Of the last frame, from the first. There must be a frame.
  double last_seconds() const { return seconds(stamps.back()); }

  // Of the frame `index`, which must exist, from the first.
  double seconds_at(std::int64_t index) const { return seconds(stamps.at(static_cast<std::size_t>(index))); }

  // The frames that start <= t < end holds, t seconds from the first frame; the one nearest to the start if
  // it holds none. There must be a frame.
  FrameSpan within(const TimeRange& range) const;

  // Runs of equal distances, in few bytes.
  std::string to_bytes() const;
  // None if `bytes` are not those of `count` frames.
  static std::optional<FrameTimes> from_bytes(std::string_view bytes, std::int64_t count);

 private:
  double seconds(std::int64_t stamp) const {
    return static_cast<double>(stamp - stamps.front()) * unit.num / unit.den;
  }
};

}  // namespace actionclip
