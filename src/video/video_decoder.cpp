#include "video/video_decoder.h"

#include <utility>

#include <fmt/format.h>

#include "actionclip/core/error.h"

namespace actionclip {

VideoDecoder::VideoDecoder(std::unique_ptr<VideoStream> stream)
    : stream_(std::move(stream)),
      codec_(stream_->open_decoder()),
      packet_(owned<UniquePacket>(av_packet_alloc())),
      frame_(owned<UniqueFrame>(av_frame_alloc())) {}

const AVFrame* VideoDecoder::next() {
  clear_ffmpeg_message();
  while (true) {
    const int code = avcodec_receive_frame(codec_.get(), frame_.get());
    if (code == AVERROR_EOF) return nullptr;
    if (code == AVERROR(EAGAIN)) {
      feed();
      continue;
    }
    if (code < 0) fail_damaged(ffmpeg_error_text(code));
    if (is_concealed(*frame_)) fail_damaged(ffmpeg_error_text(AVERROR_INVALIDDATA));
    ++frames_done_;
    return frame_.get();
  }
}

// Sends the next packet of the stream to the decoder, or the end.
void VideoDecoder::feed() {
  switch (stream_->read(*packet_)) {
    case VideoStream::Outcome::damaged:
      fail_damaged(stream_->damage());
    case VideoStream::Outcome::end:
      avcodec_send_packet(codec_.get(), nullptr);
      return;
    case VideoStream::Outcome::packet:
      if (const int sent = avcodec_send_packet(codec_.get(), packet_.get()); sent < 0)
        fail_damaged(ffmpeg_error_text(sent));
      ++packets_sent_;
  }
}

void VideoDecoder::fail_damaged(const std::string& reason) const {
  throw VideoError(
      fmt::format("{}: damaged at frame {}: {}", stream_->path().string(), frames_done_, reason));
}

}  // namespace actionclip
