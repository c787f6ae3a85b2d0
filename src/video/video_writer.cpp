#include "video/video_writer.h"

#include <array>
#include <string>

#include <fmt/format.h>

#include "actionclip/core/error.h"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>
}

namespace actionclip {
namespace {

struct Free {
  void operator()(AVCodecContext* codec) const { avcodec_free_context(&codec); }
  void operator()(AVFrame* frame) const { av_frame_free(&frame); }
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
  void operator()(SwsContext* scaler) const { sws_freeContext(scaler); }
  void operator()(AVFormatContext* container) const {
    if (container->pb != nullptr) avio_closep(&container->pb);
    avformat_free_context(container);
  }
};

template <typename T>
using Owned = std::unique_ptr<T, Free>;

}  // namespace

struct VideoWriter::State {
  std::filesystem::path path;
  Owned<AVFormatContext> container;
  Owned<AVCodecContext> codec;
  Owned<SwsContext> to_yuv;
  Owned<AVFrame> frame;
  Owned<AVPacket> packet;
  AVStream* stream = nullptr;
  std::int64_t frames = 0;

  // Passes `result` on; a negative one is FFmpeg's error code.
  int check(int result, const char* what) const {
    if (result >= 0) return result;
    std::array<char, AV_ERROR_MAX_STRING_SIZE> reason{};
    av_strerror(result, reason.data(), reason.size());
    throw VideoError(fmt::format("cannot write {}: {}: {}", path.string(), what, reason.data()));
  }

  void open_container() {
    AVFormatContext* created = nullptr;
    check(avformat_alloc_output_context2(&created, nullptr, "mp4", nullptr), "MP4 container");
    container.reset(created);
    container->flags |= AVFMT_FLAG_BITEXACT;
    // The "file:" in front keeps FFmpeg from reading a protocol into a path that holds a colon.
    check(avio_open(&container->pb, ("file:" + path.string()).c_str(), AVIO_FLAG_WRITE), "file");
  }

  void open_codec(const VideoWriterConfig& config) {
    const AVCodec* encoder = avcodec_find_encoder_by_name("libx264");
    if (encoder == nullptr) {
      throw VideoError(fmt::format(
          "cannot write {}: FFmpeg's libavcodec has no libx264; install one that has it", path.string()));
    }
    codec.reset(avcodec_alloc_context3(encoder));
    codec->width = static_cast<int>(config.width);
    codec->height = static_cast<int>(config.height);
    codec->time_base = {1, config.frames_per_second};
    codec->framerate = {config.frames_per_second, 1};
    codec->pix_fmt = AV_PIX_FMT_YUV420P;
    codec->color_range = AVCOL_RANGE_MPEG;
    // What swscale converts RGB to unless told otherwise.
    codec->colorspace = AVCOL_SPC_SMPTE170M;
    codec->color_primaries = AVCOL_PRI_SMPTE170M;
    codec->color_trc = AVCOL_TRC_SMPTE170M;
    codec->thread_count = 1;
    // x264 tells dozens of figures about every file; only its errors still reach FFmpeg's log.
    codec->log_level_offset = AV_LOG_INFO - AV_LOG_ERROR;
    codec->gop_size = 1;
    codec->flags |= AV_CODEC_FLAG_BITEXACT | AV_CODEC_FLAG_GLOBAL_HEADER;
    av_opt_set(codec->priv_data, "preset", "veryfast", 0);
    av_opt_set_int(codec->priv_data, "qp", config.quantiser, 0);
    check(avcodec_open2(codec.get(), encoder, nullptr), "H.264 encoder");
  }

  void open_stream() {
    stream = avformat_new_stream(container.get(), nullptr);
    if (stream == nullptr) check(AVERROR(ENOMEM), "video stream");
    stream->time_base = codec->time_base;
    stream->avg_frame_rate = codec->framerate;
    check(avcodec_parameters_from_context(stream->codecpar, codec.get()), "video stream");
    check(avformat_write_header(container.get(), nullptr), "header");
  }

  void open_frame() {
    constexpr int kExact = SWS_BILINEAR | SWS_ACCURATE_RND | SWS_BITEXACT;
    to_yuv.reset(sws_getContext(codec->width, codec->height, AV_PIX_FMT_RGB24, codec->width, codec->height,
                                AV_PIX_FMT_YUV420P, kExact, nullptr, nullptr, nullptr));
    packet.reset(av_packet_alloc());
    frame.reset(av_frame_alloc());
    if (!to_yuv || !packet || !frame) check(AVERROR(ENOMEM), "frame");
    frame->format = codec->pix_fmt;
    frame->width = codec->width;
    frame->height = codec->height;
    check(av_frame_get_buffer(frame.get(), 0), "frame");
  }
};

VideoWriter::VideoWriter(const std::filesystem::path& path, const VideoWriterConfig& config)
    : state_(std::make_unique<State>()) {
  state_->path = path;
  state_->open_container();
  state_->open_codec(config);
  state_->open_stream();
  state_->open_frame();
}

VideoWriter::~VideoWriter() = default;

void VideoWriter::write(const Image& image) {
  State& state = *state_;
  if (image.width != state.codec->width || image.height != state.codec->height) {
    throw VideoError(fmt::format("cannot write {}: frame {} is {}x{}, the video {}x{}", state.path.string(),
                                 state.frames, image.width, image.height, state.codec->width,
                                 state.codec->height));
  }
  // The encoder may still hold the previous frame's memory.
  state.check(av_frame_make_writable(state.frame.get()), "frame");
  const std::array<const std::uint8_t*, 1> rows = {image.rgb.data()};
  const std::array<int, 1> row_bytes = {static_cast<int>(3 * image.width)};
  sws_scale(state.to_yuv.get(), rows.data(), row_bytes.data(), 0, state.codec->height, state.frame->data,
            state.frame->linesize);
  state.frame->pts = state.frames++;
  encode_and_mux(false);
}

void VideoWriter::encode_and_mux(bool flush) {
  State& state = *state_;
  state.check(avcodec_send_frame(state.codec.get(), flush ? nullptr : state.frame.get()), "encoding");
  for (;;) {
    const int result = avcodec_receive_packet(state.codec.get(), state.packet.get());
    if (result == AVERROR(EAGAIN) || result == AVERROR_EOF) return;
    state.check(result, "encoding");
    // x264 leaves it open; without it the last frame would last no time.
    state.packet->duration = 1;
    av_packet_rescale_ts(state.packet.get(), state.codec->time_base, state.stream->time_base);
    state.packet->stream_index = state.stream->index;
    state.check(av_interleaved_write_frame(state.container.get(), state.packet.get()), "packet");
  }
}

void VideoWriter::finish() {
  State& state = *state_;
  encode_and_mux(true);
  state.check(av_write_trailer(state.container.get()), "index");
  state.check(avio_closep(&state.container->pb), "file");
}

}  // namespace actionclip
