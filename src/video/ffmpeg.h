// FFmpeg's objects with owners, and its errors as text.
#pragma once

#include <memory>
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
