// What a first reading finds out about a video and the next one need not look for again.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace actionclip {

struct FrameIndex {
  // Implicit, so that a count alone will do where an index is asked for. -1: nothing is known.
  FrameIndex(std::int64_t frame_count = -1, std::string details = "")  // NOLINT(google-explicit-constructor)
      : frame_count(frame_count), details(std::move(details)) {}

  std::int64_t frame_count;  // frames that a full decode of the whole video presents
  // VideoReader's own notes: when the frames are shown, and for long videos where their packets lie.
  std::string details;

  bool operator==(const FrameIndex&) const = default;
};

}  // namespace actionclip
