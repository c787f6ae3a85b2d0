// FFmpeg's objects with owners, and its errors as text.
#pragma once

#include <memory>
#include <new>
#include <string>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/frame.h>
#include <libswscale/swscale.h>
}

namespace actionclip {

// Makes a deleter of a function that takes the address of the pointer, as most of FFmpeg's do.
template <auto release>
struct FreeByAddress {
  template <typename T>
  void operator()(T* object) const {
    release(&object);
  }
};

struct FreeIo {
  void operator()(AVIOContext* io) const {
    av_freep(&io->buffer);  // FFmpeg may have replaced the buffer, and leaves it to the owner
    avio_context_free(&io);
  }
};

struct FreeScaler {
  void operator()(SwsContext* scaler) const { sws_freeContext(scaler); }
};

using UniqueIo = std::unique_ptr<AVIOContext, FreeIo>;
using UniqueFormat = std::unique_ptr<AVFormatContext, FreeByAddress<avformat_close_input>>;
using UniqueCodec = std::unique_ptr<AVCodecContext, FreeByAddress<avcodec_free_context>>;
using UniquePacket = std::unique_ptr<AVPacket, FreeByAddress<av_packet_free>>;
using UniqueFrame = std::unique_ptr<AVFrame, FreeByAddress<av_frame_free>>;
using UniqueScaler = std::unique_ptr<SwsContext, FreeScaler>;

// What one of FFmpeg's functions has made, with its owner. Throws std::bad_alloc if it is nothing.
template <typename Owner, typename T>
Owner owned(T* object) {
  if (object == nullptr) throw std::bad_alloc();
  return Owner(object);
}

// Whether a decoder has filled in what it could not decode.
inline bool is_concealed(const AVFrame& frame) {
  return frame.decode_error_flags != 0 || (frame.flags & AV_FRAME_FLAG_CORRUPT) != 0;
}

// Takes FFmpeg's messages off stderr, for the whole process: each thread keeps the first error message of its
// own since clear_ffmpeg_message(). To be called before anything else of FFmpeg; calling it again does
// nothing.
void capture_ffmpeg_messages();
void clear_ffmpeg_message();
bool has_ffmpeg_message();

// "Invalid data found when processing input (h264: Invalid NAL unit size)": an error code and this thread's
// kept message.
std::string ffmpeg_error_text(int code);

}  // namespace actionclip
