// The frames of a video file by decoding all up to the last one wanted: works for every file, and is what
// other ways are measured by.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "actionclip/video/image.h"
#include "actionclip/video/video_reader.h"

#include "video/deadline.h"
#include "video/frame_converter.h"
#include "video/frame_times.h"
#include "video/regular_file.h"
#include "video/video_decoder.h"

namespace actionclip {

class FullReader {
 public:
  // `file` and `deadline` must outlive the reader.
  FullReader(RegularFile& file, const Deadline& deadline) : file_(file), deadline_(deadline) {}

  // Takes a stream that stands at its start, so that the file need not be opened anew.
  void use(std::unique_ptr<VideoStream> stream) { stream_ = std::move(stream); }

  // The images of `indices`, which do not decrease. Throws VideoError if the video is damaged or ends before.
  std::vector<Image> read(std::span<const std::int64_t> indices);
  // The same, fewer if the video ends before, and decodes to its end.
  std::vector<Image> read_to_end(std::span<const std::int64_t> indices) { return decode(indices, true); }

  // Frames of the video; decodes to the end if that is not known.
  std::int64_t frame_count();
  bool knows_frame_count() const { return frame_count_ >= 0; }
  bool knows_times() const { return knows_times_; }
  // When they are shown, from index / rate where the file gives no times or they do not increase; no stamps
  // if there is no rate either. Decodes to the end if that is not known.
  const FrameTimes& times();

  // What an earlier reader of the file has found.
  void know(std::int64_t frame_count) { frame_count_ = frame_count; }
  void know(std::int64_t frame_count, FrameTimes times);

  // Of the frame that can be had without starting anew.
  std::int64_t next_index() const { return decoder_ != nullptr ? next_index_ : 0; }
  const ReadStatistics& statistics() const { return statistics_; }

 private:
  std::vector<Image> decode(std::span<const std::int64_t> indices, bool to_end);
  void start();
  void finish(const VideoDecoder& decoder);

  RegularFile& file_;
  const Deadline& deadline_;
  std::unique_ptr<VideoStream> stream_;
  std::unique_ptr<VideoDecoder> decoder_;  // none after an error: the next pass starts anew
  std::unique_ptr<FrameConverter> converter_;
  std::int64_t next_index_ = 0;  // of the frame that decoder_ gives next
  std::int64_t frame_count_ = -1;
  FrameTimes times_;  // of the frames that a decoder has given
  bool knows_times_ = false;
  ReadStatistics statistics_;
};

}  // namespace actionclip
