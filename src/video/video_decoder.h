// One pass over all frames of a video file, in the order of presentation: what defines a video's frames and
// their numbers.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "video/ffmpeg.h"
#include "video/video_stream.h"

namespace actionclip {

class VideoDecoder {
 public:
  // `stream` stands at its start and is not simple(). Throws VideoError if it has no decoder.
  explicit VideoDecoder(std::unique_ptr<VideoStream> stream);

  // Decodes the next frame; it stays valid until the next call. nullptr after the last one. Throws VideoError
  // if the video is damaged: after the first error the rest of a stream is guesswork, so there is no going
  // on.
  const AVFrame* next();

  const VideoStream& stream() const { return *stream_; }
  std::int64_t packets_sent() const { return packets_sent_; }

 private:
  void feed();
  [[noreturn]] void fail_damaged(const std::string& reason) const;

  std::unique_ptr<VideoStream> stream_;
  UniqueCodec codec_;
  UniquePacket packet_;
  UniqueFrame frame_;
  std::int64_t packets_sent_ = 0;
  std::int64_t frames_done_ = 0;
};

}  // namespace actionclip
