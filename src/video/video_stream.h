// The packets of a video file's stream of pictures.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "video/deadline.h"
#include "video/ffmpeg.h"
#include "video/regular_file.h"

namespace actionclip {

class VideoStream {
 public:
  // Whether FFmpeg decodes the first frames to complete the streams' parameters. Where the container's header
  // holds them all and packet_index.h can say which frames come out, `if_needed` saves that; such a stream is
  // simple().
  enum class Analysis { if_needed, always };

  // Starts at the first packet of `file`. Its content decides what it is, never its name. `file` and
  // `deadline` must outlive the stream. Throws VideoError: an unknown or refused container, no video stream,
  // and (as all functions) the deadline has passed.
  VideoStream(RegularFile& file, const Deadline& deadline, Analysis analysis);
  VideoStream(const VideoStream&) = delete;
  VideoStream& operator=(const VideoStream&) = delete;

  const std::filesystem::path& path() const { return source_.file.path(); }
  bool simple() const { return simple_; }
  const AVStream& stream() const { return *stream_; }
  const AVCodecParameters& parameters() const { return *stream_->codecpar; }

  // The decoder of the stream, open and at its start. Throws VideoError if there is none.
  UniqueCodec open_decoder() const;

  // Reads the stream's next packet that is not empty. `damaged` if its data, or those before it, are not
  // whole: damage() says why, and there is no going on.
  enum class Outcome { packet, end, damaged };
  Outcome read(AVPacket& packet);
  const std::string& damage() const { return damage_; }

  // Makes read() go on at a key packet with the times `pts` and `dts`, or somewhere before. False if the
  // container cannot: the position is then unknown.
  bool seek(std::int64_t pts, std::int64_t dts);

  // The display matrix (9 values, libavutil/display.h) of `frame` or of the stream, or nullptr.
  const std::int32_t* display_matrix(const AVFrame& frame) const;

  // Frames that the container claims to hold, -1: no claim, or an absurd one (over kMaxFrameCount). Often
  // wrong.
  std::int64_t claimed_frame_count() const;

  void check_deadline() const;
  // Throws VideoError: path, `what`, FFmpeg's reason.
  [[noreturn]] void fail(const std::string& what, int code) const;

 private:
  // What the callbacks of FFmpeg's reading get. The position is its own: several streams may read one file.
  struct Source {
    RegularFile& file;
    const Deadline& deadline;
    std::int64_t position = 0;
  };

  static int read_source(void* source, std::uint8_t* buffer, int size);
  static std::int64_t seek_source(void* source, std::int64_t offset, int whence);
  static int is_late(void* source);
  void open_container();
  bool header_tells_all() const;
  void choose_stream();
  Outcome end();

  Source source_;
  UniqueIo io_;
  UniqueFormat format_;
  AVStream* stream_ = nullptr;
  bool simple_ = false;
  bool last_packet_is_cut_ = false;  // of any stream
  std::string damage_;
};

}  // namespace actionclip
