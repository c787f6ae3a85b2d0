// The frames of a video file, decoded by FFmpeg.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "actionclip/video/frame_source.h"

namespace actionclip {

class FrameConverter;
class RegularFile;
class VideoDecoder;

// Frame i is the i-th frame that decoding presents: by presentation time, none doubled or dropped to even out
// the rate. All frames of a video have the size of its first one. A decoding error at or before the last
// frame asked for means a damaged video: VideoError. Always decodes from the first frame: exact for every
// file, which seeking is not. Its content decides what a file is, not its name; kinds that make FFmpeg open
// other files (playlists, scripts) are refused. Takes FFmpeg's messages off stderr for the whole process;
// they are in the errors. Not thread-safe: a reader a thread.
class VideoReader : public FrameSource {
 public:
  // Throws VideoError (path and reason) if `path` is not a file that holds video: see VideoDecoder for what
  // is refused.
  explicit VideoReader(const std::filesystem::path& path);
  // The same from a file that is already open.
  explicit VideoReader(std::unique_ptr<RegularFile> file);
  ~VideoReader() override;

  std::int64_t frame_count() override;
  std::vector<Image> read(std::span<const std::int64_t> indices) override;
  // With no known count, decodes once to the end and keeps the frames that `choose` picks from the
  // container's claim; only a wrong claim (logged) costs a second pass.
  ChosenFrames read_chosen(const FrameChooser& choose, std::int64_t known_count) override;

  // Frames that the container claims to hold, found without decoding; -1: no claim.
  std::int64_t estimated_frame_count() const { return claimed_frame_count_; }

 private:
  std::vector<Image> decode(std::span<const std::int64_t> indices, bool to_end);

  std::unique_ptr<RegularFile> file_;
  std::unique_ptr<VideoDecoder> decoder_;  // none after an error: the next pass starts anew
  std::unique_ptr<FrameConverter> converter_;
  std::int64_t next_index_ = 0;  // of the frame that decoder_ gives next
  std::int64_t frame_count_ = -1;
  std::int64_t claimed_frame_count_ = -1;
};

}  // namespace actionclip
