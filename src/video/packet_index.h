// Which packets of a video file hold which frames, found without decoding, and which of them are enough for
// some of its frames.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "video/frame_times.h"
#include "video/video_stream.h"

namespace actionclip {

struct IndexedPacket {
  std::int64_t pts = 0;       // when its frame is shown, in the stream's unit
  std::int64_t dts = 0;       // when it is to be decoded; AV_NOPTS_VALUE where unknown
  std::int64_t position = 0;  // in the file
  std::int64_t size = 0;
  bool seek_point = false;  // see PictureFacts
  bool reference = true;
  bool presented = true;  // neither hidden by an edit list nor by the codec

  bool operator==(const IndexedPacket&) const = default;
};

// Packets to be decoded in one go, from a seek point on.
struct DecodeRun {
  std::size_t first = 0;
  std::vector<std::size_t> packets;  // in the order of the file; the first of them is `first`
};

// How frames are predicted: those of the packets that are presented, in the order of their times. That equals
// what a full decode presents if
// - the container gives every packet its own time and place (MP4, Matroska), and each packet is one picture;
// - decoding starts with a seek point, before which nothing is shown;
// - the order of the times is the one that the pictures themselves are numbered in, and the decoder holds
// back
//   enough of them to restore it;
// - no packet changes the parameters of the stream.
// All this is checked packet by packet; a file that fails in anything is decoded in full instead, as are
// other containers and codecs. Pictures from one seek point on, and of those only what others refer to, then
// give the same pixels as decoding all, by the rules of the codecs' standards.
class PacketIndex {
 public:
  // Reads all packets of `stream`, which stands at its start, and calls `take` with each, which may move from
  // it. None, and in `objection` the reason, if its frames cannot be predicted. Throws VideoError if the
  // deadline passes.
  using TakePacket = std::function<void(AVPacket& packet)>;
  static std::optional<PacketIndex> scan(VideoStream& stream, std::string& objection, const TakePacket& take);

  // How many pictures the decoder must hold back, at least, to put them in order: else the prediction is
  // void.
  int reorder_depth() const { return reorder_depth_; }

  std::int64_t frame_count() const { return static_cast<std::int64_t>(by_time_.size()); }
  const std::vector<IndexedPacket>& packets() const { return packets_; }
  // Of each frame, its packet.
  const std::vector<std::size_t>& by_time() const { return by_time_; }
  const FrameTimes& times() const { return times_; }

  // The fewest packets that give the frames of `packets` (numbers in the file's order, increasing). Runs
  // follow one another in the file. The first frame of the video is among what they give where its size or
  // its encoder's name decide on the others.
  std::vector<DecodeRun> plan(std::span<const std::size_t> packets) const;

  std::string to_bytes() const;
  static std::optional<PacketIndex> from_bytes(std::string_view bytes);

 private:
  PacketIndex() = default;

  // Fills by_time_, times_ and seek_points_; false if that is impossible.
  bool arrange();
  std::size_t seek_point_of(std::size_t packet) const;

  std::vector<IndexedPacket> packets_;
  AVRational unit_{0, 1};
  bool needs_first_ = false;
  int reorder_depth_ = 0;
  std::vector<std::size_t> by_time_;
  std::vector<std::size_t> seek_points_;
  FrameTimes times_;
};

}  // namespace actionclip
