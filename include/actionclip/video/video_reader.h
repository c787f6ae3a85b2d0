// The frames of a video file, decoded by FFmpeg.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "actionclip/video/frame_source.h"

namespace actionclip {

class Deadline;
class FullReader;
class RegularFile;
class SelectiveReader;
class VideoStream;

// What a reader has done so far, for tests and benchmarks.
struct ReadStatistics {
  std::int64_t packets_decoded = 0;
  std::int64_t packets_read = 0;  // after the first look at all of them
  std::int64_t seeks = 0;
  std::int64_t full_passes = 0;  // of decoding from the first frame on
  double open_seconds = 0;       // opening, and the look at the packets
  double demux_seconds = 0;
  double decode_seconds = 0;
  double convert_seconds = 0;

  ReadStatistics& operator+=(const ReadStatistics& other);
};

// Frame i is the i-th frame that decoding the whole file presents: by presentation time, none doubled or
// dropped to even out the rate. All frames of a video have the size of its first one.
//
// What a file presents is defined by decoding all of it. Where its packets tell beforehand (packet_index.h),
// only those are decoded that the wanted frames need, with the same pixels; if what then comes out is not
// what was foretold, all is decoded after all. So the result depends on the file and the frames asked for,
// never on what was read before or is remembered.
//
// A decoding error at or before the last frame asked for means a damaged video: VideoError. Damage in packets
// that no wanted frame needs is not noticed, as training passes over most of them anyway; frame_count()
// decodes everything, and so finds it.
//
// The content decides what a file is, not its name; kinds that make FFmpeg open other files (playlists,
// scripts) are refused. Takes FFmpeg's messages off stderr for the whole process; they are in the errors. Not
// thread-safe: a reader a thread.
class VideoReader : public FrameSource {
 public:
  // Throws VideoError (path and reason) if `path` is not a file that holds video: see VideoStream for what is
  // refused. All functions throw it too once `seconds_limit` seconds have passed since; 0: no limit.
  explicit VideoReader(const std::filesystem::path& path, double seconds_limit = 0);
  // The same from a file that is already open.
  explicit VideoReader(std::unique_ptr<RegularFile> file, double seconds_limit = 0);
  ~VideoReader() override;

  // Decodes the whole video the first time it is asked. Throws VideoError if it is damaged.
  std::int64_t frame_count() override;
  std::vector<Image> read(std::span<const std::int64_t> indices) override;
  std::vector<double> seconds_of(std::span<const std::int64_t> indices) override;
  // A file that must be decoded in full, of unknown count, is decoded once to the end, and the frames are
  // kept that `choose` picks from the container's claim; only a wrong claim (logged) or a range costs a
  // second pass.
  ChosenFrames read_chosen(const FrameChooser& choose, const FrameIndex& known = {},
                           const TimeRange& range = {}) override;

  // Frames that the container claims to hold, found without decoding; -1: no claim.
  std::int64_t estimated_frame_count() const { return claimed_frame_count_; }

  ReadStatistics statistics() const;

 private:
  void decide(const FrameIndex& known);
  void stop_selecting(const std::string& reason);
  std::optional<std::vector<Image>> read_selected(std::span<const std::int64_t> indices);
  ChosenFrames choose_in_full(const FrameChooser& choose, const FrameIndex& known, const TimeRange& range);

  std::unique_ptr<RegularFile> file_;
  std::unique_ptr<Deadline> deadline_;
  std::unique_ptr<VideoStream> stream_;  // until decide() makes use of it
  std::unique_ptr<FullReader> full_;
  std::unique_ptr<SelectiveReader> selective_;  // none: all must be decoded
  std::int64_t claimed_frame_count_ = -1;
  bool is_decided_ = false;
  std::int64_t last_index_ = -1;  // of the frames read so far, the latest one asked for
  bool is_mispredicted_ = false;
  ReadStatistics statistics_;  // of opening
};

}  // namespace actionclip
