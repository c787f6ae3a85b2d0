// One pass over the frames of a video file, in the order of presentation.
#pragma once

#include <cstdint>

#include "video/ffmpeg.h"
#include "video/regular_file.h"

namespace actionclip {

class VideoDecoder {
 public:
  // Starts at the first frame of `file`, which must outlive the decoder. Its content decides what it
  // is, never its name. Throws VideoError: an unknown or refused container, no video stream, no decoder.
  explicit VideoDecoder(RegularFile& file);

  // Decodes the next frame; it stays valid until the next call. nullptr after the last one. Throws VideoError
  // if the video is damaged: after the first error the rest of a stream is guesswork, so there is no going
  // on.
  const AVFrame* next();

  // The display matrix (9 values, libavutil/display.h) of `frame` or of the stream, or nullptr.
  const std::int32_t* display_matrix(const AVFrame& frame) const;

  // Frames that the container claims to hold, -1: no claim, or an absurd one (over
  // kMaxFrameCount). Often wrong.
  std::int64_t claimed_frame_count() const;

 private:
  void open_container();
  void choose_stream();
  void open_codec();
  void feed();
  void check_end() const;
  [[noreturn]] void fail(const std::string& what, int code) const;
  [[noreturn]] void fail_damaged(const std::string& reason) const;

  RegularFile& file_;
  UniqueIo io_;
  UniqueFormat format_;
  UniqueCodec codec_;
  UniquePacket packet_;
  UniqueFrame frame_;
  AVStream* stream_ = nullptr;
  bool last_packet_is_cut_ = false;  // of any stream
  std::int64_t frames_done_ = 0;
};

}  // namespace actionclip
