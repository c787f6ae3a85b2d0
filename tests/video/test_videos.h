// Small videos and images that tests make for themselves with FFmpeg's encoders, whose frames can be told
// apart.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "actionclip/video/image.h"

#include "tests/temporary_folder.h"
extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>
}

namespace actionclip::testing {

// Frame `index` of every test video: grey, lighter from frame to frame (below 55 frames), with a red block in
// the top left quarter and a blue one in the top right, so that number and orientation can be read off.
inline Image test_frame(std::int64_t index, int width, int height) {
  Image image{width, height, std::vector<std::uint8_t>(static_cast<std::size_t>(width) * height * 3)};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      std::uint8_t* pixel = &image.rgb[(static_cast<std::size_t>(y) * width + x) * 3];
      pixel[0] = pixel[1] = pixel[2] = static_cast<std::uint8_t>(20 + 4 * index);
      if (y < height / 2) {
        pixel[0] = x < width / 2 ? 200 : 30;
        pixel[1] = 30;
        pixel[2] = x < width / 2 ? 30 : 200;
      }
    }
  }
  return image;
}

// A frame with texture that moves, noise and a block that crosses it: a frame whose prediction went wrong is
// not what it should be.
inline Image moving_frame(std::int64_t index, int width, int height) {
  Image image{width, height, std::vector<std::uint8_t>(static_cast<std::size_t>(width) * height * 3)};
  auto noise = static_cast<std::uint32_t>(index + 1);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      noise = noise * 1664525u + 1013904223u;
      const std::int64_t u = (x + 3 * index) / 5, v = (y + index) / 7;
      const bool is_block = (x - 5 * index) % width < 16 && y > height / 3 && y < height / 2;
      std::uint8_t* pixel = &image.rgb[(static_cast<std::size_t>(y) * width + x) * 3];
      pixel[0] = static_cast<std::uint8_t>(40 + (u * 37 + v * 11) % 160 + (noise >> 28));
      pixel[1] = static_cast<std::uint8_t>(is_block ? 220 : 60 + (u * 13) % 120);
      pixel[2] = static_cast<std::uint8_t>(is_block ? 20 : 30 + (v * 29) % 140 + (noise >> 29));
    }
  }
  return image;
}

struct Color {
  int red, green, blue;
};

// The mean colour of the middle of a quarter of the image (0 top left, 1 top right, 2 bottom left, 3 bottom
// right).
inline Color quarter_color(const Image& image, int quarter) {
  const std::int64_t x0 = image.width * (quarter % 2 == 0 ? 1 : 5) / 8,
                     y0 = image.height * (quarter < 2 ? 1 : 5) / 8;
  std::int64_t sum[3] = {}, count = 0;
  for (std::int64_t y = y0; y <= y0 + image.height / 4; ++y) {
    for (std::int64_t x = x0; x <= x0 + image.width / 4; ++x, ++count) {
      for (int c = 0; c < 3; ++c)
        sum[c] += image.rgb[static_cast<std::size_t>((y * image.width + x) * 3 + c)];
    }
  }
  const auto mean = [&](int c) { return static_cast<int>((sum[c] + count / 2) / count); };
  return {mean(0), mean(1), mean(2)};
}

// The number of an upright test frame, from its grey part.
inline std::int64_t frame_number(const Image& image) {
  return static_cast<std::int64_t>(std::floor((quarter_color(image, 3).green - 18) / 4.0));
}

struct TestVideo {
  std::string encoder = "libx264";
  std::string container = "";  // FFmpeg's name; empty: by the file's extension
  AVPixelFormat pixel_format = AV_PIX_FMT_YUV420P;
  int width = 64;
  int height = 48;
  int frames = 20;
  int first_number = 0;  // of the first test_frame()
  int rate = 25;
  int keyframe_interval = 8;
  int b_frames = 2;
  int rotation = 0;  // degrees clockwise that a player is told to turn by
  AVColorSpace color_space = AVCOL_SPC_UNSPECIFIED;
  AVColorRange color_range = AVCOL_RANGE_UNSPECIFIED;
  std::vector<std::int64_t> timestamps = {};  // in frames of `rate`; empty: 0, 1, 2 ...
  std::map<std::string, std::string> encoder_options = {};
  std::map<std::string, std::string> container_options = {};
  Image (*paint)(std::int64_t index, int width, int height) = test_frame;
};

namespace detail {

inline int require(int code, const char* what) {
  if (code < 0)
    throw std::runtime_error(std::string("test video: ") + what + " failed: " + std::to_string(code));
  return code;
}

template <typename T, void (*release)(T**)>
struct Release {
  void operator()(T* object) const { release(&object); }
};
using Frame = std::unique_ptr<AVFrame, Release<AVFrame, av_frame_free>>;
using Packet = std::unique_ptr<AVPacket, Release<AVPacket, av_packet_free>>;
using Codec = std::unique_ptr<AVCodecContext, Release<AVCodecContext, avcodec_free_context>>;

using Input = std::unique_ptr<AVFormatContext, Release<AVFormatContext, avformat_close_input>>;

struct CloseOutput {
  void operator()(AVFormatContext* format) const {
    avio_closep(&format->pb);
    avformat_free_context(format);
  }
};
using Output = std::unique_ptr<AVFormatContext, CloseOutput>;

inline Frame encoder_frame(const Image& image, const AVCodecContext& codec) {
  Frame frame(av_frame_alloc());
  frame->format = codec.pix_fmt;
  frame->width = codec.width;
  frame->height = codec.height;
  frame->colorspace = codec.colorspace;
  frame->color_range = codec.color_range;
  require(av_frame_get_buffer(frame.get(), 0), "frame buffer");
  SwsContext* scaler = sws_getContext(static_cast<int>(image.width), static_cast<int>(image.height),
                                      AV_PIX_FMT_RGB24, codec.width, codec.height, codec.pix_fmt,
                                      SWS_BILINEAR | SWS_ACCURATE_RND, nullptr, nullptr, nullptr);
  sws_setColorspaceDetails(scaler, sws_getCoefficients(SWS_CS_DEFAULT), 1,
                           sws_getCoefficients(codec.colorspace), codec.color_range == AVCOL_RANGE_JPEG, 0,
                           1 << 16, 1 << 16);
  const std::uint8_t* planes[] = {image.rgb.data()};
  const int strides[] = {static_cast<int>(image.width * 3)};
  sws_scale(scaler, planes, strides, 0, static_cast<int>(image.height), frame->data, frame->linesize);
  sws_freeContext(scaler);
  return frame;
}

inline Codec open_encoder(const TestVideo& video, bool global_header) {
  const AVCodec* encoder = avcodec_find_encoder_by_name(video.encoder.c_str());
  if (encoder == nullptr) throw std::runtime_error("test video: no encoder " + video.encoder);
  Codec codec(avcodec_alloc_context3(encoder));
  codec->width = video.width;
  codec->height = video.height;
  codec->pix_fmt = video.pixel_format;
  codec->time_base = {1, video.rate};
  codec->framerate = {video.rate, 1};
  codec->gop_size = video.keyframe_interval;
  codec->max_b_frames = video.b_frames;
  codec->colorspace = video.color_space;
  codec->color_range = video.color_range;
  codec->bit_rate = 2'000'000;
  codec->thread_count = 1;
  codec->strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL;
  if (global_header) codec->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  for (const auto& [key, value] : video.encoder_options) {
    require(av_opt_set(codec.get(), key.c_str(), value.c_str(), AV_OPT_SEARCH_CHILDREN), key.c_str());
  }
  require(avcodec_open2(codec.get(), encoder, nullptr), "opening the encoder");
  return codec;
}

// Calls `write` with every packet that the encoder gives for `frame` (nullptr: the end).
template <typename Write>
void encode(AVCodecContext& codec, const AVFrame* frame, const Write& write) {
  require(avcodec_send_frame(&codec, frame), "encoding");
  const Packet packet(av_packet_alloc());
  while (avcodec_receive_packet(&codec, packet.get()) >= 0) {
    write(*packet);
    av_packet_unref(packet.get());
  }
}

}  // namespace detail

// Writes `video` to `path`.
inline void encode_video(const std::filesystem::path& path, const TestVideo& video) {
  av_log_set_level(AV_LOG_ERROR);
  AVFormatContext* raw = nullptr;
  detail::require(
      avformat_alloc_output_context2(
          &raw, nullptr, video.container.empty() ? nullptr : video.container.c_str(), path.c_str()),
      "choosing the container");
  const detail::Output output(raw);
  const auto codec = detail::open_encoder(video, (output->oformat->flags & AVFMT_GLOBALHEADER) != 0);
  AVStream* stream = avformat_new_stream(output.get(), nullptr);
  detail::require(avcodec_parameters_from_context(stream->codecpar, codec.get()), "stream parameters");
  stream->time_base = codec->time_base;
  stream->avg_frame_rate = codec->framerate;
  if (video.rotation != 0) {
    auto* matrix = reinterpret_cast<std::int32_t*>(
        av_stream_new_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, 9 * sizeof(std::int32_t)));
    av_display_rotation_set(matrix, video.rotation);
  }
  detail::require(avio_open(&output->pb, path.c_str(), AVIO_FLAG_WRITE), "creating the file");
  AVDictionary* options = nullptr;
  for (const auto& [key, value] : video.container_options)
    av_dict_set(&options, key.c_str(), value.c_str(), 0);
  const int code = avformat_write_header(output.get(), &options);
  av_dict_free(&options);
  detail::require(code, "writing the header");

  const auto write = [&](AVPacket& packet) {
    if (packet.duration == 0) packet.duration = 1;
    av_packet_rescale_ts(&packet, codec->time_base, stream->time_base);
    detail::require(av_interleaved_write_frame(output.get(), &packet), "writing a packet");
  };
  for (int i = 0; i < video.frames; ++i) {
    const auto frame =
        detail::encoder_frame(video.paint(video.first_number + i, video.width, video.height), *codec);
    frame->pts = video.timestamps.empty() ? i : video.timestamps[static_cast<std::size_t>(i)];
    detail::encode(*codec, frame.get(), write);
  }
  detail::encode(*codec, nullptr, write);
  detail::require(av_write_trailer(output.get()), "writing the trailer");
}

// Copies those packets of a file's first stream to another that `keep`, called with each and its number,
// says, after it may have changed them. Nothing is decoded. `change` may change what the header says.
inline void copy_packets(const std::filesystem::path& from, const std::filesystem::path& to,
                         const std::function<bool(AVPacket& packet, int number)>& keep,
                         const std::function<void(AVCodecParameters&)>& change = nullptr) {
  AVFormatContext* raw = nullptr;
  detail::require(avformat_open_input(&raw, from.c_str(), nullptr, nullptr),
                  "opening the video to be copied");
  const detail::Input input(raw);
  detail::require(avformat_alloc_output_context2(&raw, nullptr, nullptr, to.c_str()),
                  "choosing the container");
  const detail::Output output(raw);
  AVStream* stream = avformat_new_stream(output.get(), nullptr);
  detail::require(avcodec_parameters_copy(stream->codecpar, input->streams[0]->codecpar),
                  "stream parameters");
  stream->codecpar->codec_tag = 0;
  if (change) change(*stream->codecpar);
  stream->time_base = input->streams[0]->time_base;
  detail::require(avio_open(&output->pb, to.c_str(), AVIO_FLAG_WRITE), "creating the file");
  detail::require(avformat_write_header(output.get(), nullptr), "writing the header");
  const detail::Packet packet(av_packet_alloc());
  for (int number = 0; av_read_frame(input.get(), packet.get()) >= 0; ++number) {
    if (keep(*packet, number)) {
      av_packet_rescale_ts(packet.get(), input->streams[0]->time_base, stream->time_base);
      detail::require(av_interleaved_write_frame(output.get(), packet.get()), "writing a packet");
    }
    av_packet_unref(packet.get());
  }
  detail::require(av_write_trailer(output.get()), "writing the trailer");
}

// Copies the first video stream of `from` to `to` from its second keyframe on, without decoding it.
inline void cut_at_second_keyframe(const std::filesystem::path& from, const std::filesystem::path& to) {
  int keyframes = 0;
  copy_packets(from, to, [&keyframes](const AVPacket& packet, int) {
    if ((packet.flags & AV_PKT_FLAG_KEY) != 0) ++keyframes;
    return keyframes >= 2;
  });
}

// Writes a file that holds sound (a tenth of a second of silence) and no video; the extension chooses the
// container.
inline void encode_silence(const std::filesystem::path& path) {
  AVFormatContext* raw = nullptr;
  detail::require(avformat_alloc_output_context2(&raw, nullptr, nullptr, path.c_str()),
                  "choosing the container");
  const detail::Output output(raw);
  AVStream* stream = avformat_new_stream(output.get(), nullptr);
  stream->codecpar->codec_type = AVMEDIA_TYPE_AUDIO;
  stream->codecpar->codec_id = AV_CODEC_ID_PCM_S16LE;
  stream->codecpar->format = AV_SAMPLE_FMT_S16;
  stream->codecpar->sample_rate = 8000;
  stream->codecpar->bits_per_coded_sample = 16;
  av_channel_layout_default(&stream->codecpar->ch_layout, 1);
  stream->time_base = {1, 8000};
  detail::require(avio_open(&output->pb, path.c_str(), AVIO_FLAG_WRITE), "creating the file");
  detail::require(avformat_write_header(output.get(), nullptr), "writing the header");
  const detail::Packet packet(av_packet_alloc());
  detail::require(av_new_packet(packet.get(), 1600), "a packet");
  std::memset(packet->data, 0, 1600);
  packet->pts = packet->dts = 0;
  packet->duration = 800;
  detail::require(av_interleaved_write_frame(output.get(), packet.get()), "writing a packet");
  detail::require(av_write_trailer(output.get()), "writing the trailer");
}

// Writes `image` with an image encoder ("png", "libwebp", "bmp").
inline void encode_image(const std::filesystem::path& path, const std::string& encoder,
                         AVPixelFormat pixel_format, const Image& image) {
  TestVideo video;
  video.encoder = encoder;
  video.pixel_format = pixel_format;
  video.width = static_cast<int>(image.width);
  video.height = static_cast<int>(image.height);
  video.b_frames = 0;
  if (pixel_format == AV_PIX_FMT_GRAY8) video.color_range = AVCOL_RANGE_JPEG;  // an image's black is 0
  const auto codec = detail::open_encoder(video, false);
  std::ofstream file(path, std::ios::binary);
  const auto write = [&](const AVPacket& packet) {
    file.write(reinterpret_cast<const char*>(packet.data), packet.size);
  };
  const auto frame = detail::encoder_frame(image, *codec);
  frame->pts = 0;
  detail::encode(*codec, frame.get(), write);
  detail::encode(*codec, nullptr, write);
}

}  // namespace actionclip::testing
