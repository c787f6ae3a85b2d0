// A perceptual hash of a video: what stays the same when it is encoded anew, at another quality, size, frame
// rate or in another format. Torch-free.
//
// Eight frames are taken, at the middles of eight equal parts of the video. Each is averaged to 9 x 8 cells
// of luma, upright; a bit says whether a cell is lighter than its right neighbour (difference hash, Krawetz
// 2013): 64 bits a frame, 512 in all. Two videos are compared by the bits that differ. A copy that was
// cropped, put between black bars, mirrored, or cut to another part of the video is not found.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace actionclip {

inline constexpr std::size_t kHashFrames = 8;
inline constexpr int kHashBits = 64 * static_cast<int>(kHashFrames);

struct VideoHash {
  std::array<std::uint64_t, kHashFrames> frames{};

  // Whether frames show too little (black, one colour) to tell the video from others.
  bool is_blank() const;

  bool operator==(const VideoHash&) const = default;
};

// Bits that differ, of kHashBits.
int distance(const VideoHash& left, const VideoHash& right);

// 128 digits, and back; none if the text is no hash.
std::string to_hex(const VideoHash& hash);
std::optional<VideoHash> parse_hash(std::string_view text);

// Grey pixels, as stored; `row_bytes` from one row to the next.
struct LumaPlane {
  const std::uint8_t* pixels = nullptr;
  std::int64_t width = 0;
  std::int64_t height = 0;
  std::int64_t row_bytes = 0;
};

// How a stored frame is turned to stand upright: transposed first, then mirrored.
struct Turn {
  bool transpose = false;
  bool flip_x = false;
  bool flip_y = false;
};

// Hashes a video whose number of frames is known only at its end. Memory is bounded: of long videos every
// second frame is kept, then every fourth, and so on.
class VideoHasher {
 public:
  // The next frame.
  void add(const LumaPlane& luma, const Turn& turn = {});

  std::int64_t frame_count() const { return frame_count_; }

  // Throws std::logic_error if there was no frame.
  VideoHash hash() const;

 private:
  std::vector<std::uint64_t> kept_;  // of frames 0, stride_, 2 stride_ ...
  std::int64_t stride_ = 1;
  std::int64_t frame_count_ = 0;
};

}  // namespace actionclip
