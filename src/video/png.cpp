#include "video/png.h"

#include <array>
#include <cstring>
#include <new>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "actionclip/core/error.h"

#include "video/ffmpeg.h"
#include "video/frame_converter.h"

namespace actionclip {
namespace {

constexpr std::int64_t kMaxImageBytes = 256 << 20;

UniqueCodec open_decoder() {
  const AVCodec* decoder = avcodec_find_decoder(AV_CODEC_ID_PNG);
  if (decoder == nullptr) throw Error("this FFmpeg has no decoder for PNG; install one that has");
  UniqueCodec codec(avcodec_alloc_context3(decoder));
  if (codec == nullptr) throw std::bad_alloc();
  codec->thread_count = 1;  // the loader reads several images at once
  codec->err_recognition = AV_EF_CRCCHECK | AV_EF_BITSTREAM | AV_EF_BUFFER | AV_EF_EXPLODE;
  codec->max_pixels = kMaxImagePixels;
  if (const int code = avcodec_open2(codec.get(), decoder, nullptr); code < 0) {
    throw Error(fmt::format("FFmpeg's decoder for PNG cannot be opened: {}", ffmpeg_error_text(code)));
  }
  return codec;
}

UniquePacket packet_of(const std::vector<std::uint8_t>& bytes) {
  UniquePacket packet(av_packet_alloc());
  if (packet == nullptr || av_new_packet(packet.get(), static_cast<int>(bytes.size())) < 0) {
    throw std::bad_alloc();
  }
  std::memcpy(packet->data, bytes.data(), bytes.size());
  return packet;
}

// Samples of a frame of 16 bits, big-endian; 0: another kind.
int wide_samples(const AVFrame& frame) {
  switch (frame.format) {
    case AV_PIX_FMT_GRAY16BE:
      return 1;
    case AV_PIX_FMT_YA16BE:
      return 2;
    case AV_PIX_FMT_RGB48BE:
      return 3;
    case AV_PIX_FMT_RGBA64BE:
      return 4;
    default:
      return 0;
  }
}

// The upper 8 bits of each sample; libswscale would round.
Image upper_bytes(const AVFrame& frame, int samples) {
  constexpr int kSampleBytes = 2;
  const int color_step = samples >= 3 ? kSampleBytes : 0;  // grey: three times the first
  Image image{.width = frame.width, .height = frame.height, .rgb = {}};
  image.rgb.reserve(static_cast<std::size_t>(3 * image.width * image.height));
  for (int y = 0; y < frame.height; ++y) {
    const std::uint8_t* pixel = frame.data[0] + static_cast<std::ptrdiff_t>(y) * frame.linesize[0];
    for (int x = 0; x < frame.width; ++x, pixel += samples * kSampleBytes) {
      for (int channel = 0; channel < 3; ++channel) image.rgb.push_back(pixel[channel * color_step]);
    }
  }
  return image;
}

}  // namespace

bool is_png(RegularFile& file) {
  return file.starts_with(std::array<std::uint8_t, 8>{0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'});
}

Image read_png(RegularFile& file) {
  capture_ffmpeg_messages();
  clear_ffmpeg_message();
  const auto packet = packet_of(file.read_all(kMaxImageBytes));
  const auto codec = open_decoder();
  const UniqueFrame frame(av_frame_alloc());
  if (frame == nullptr) throw std::bad_alloc();
  int code = avcodec_send_packet(codec.get(), packet.get());
  if (code >= 0) code = avcodec_receive_frame(codec.get(), frame.get());
  // The decoder only says so where lines are missing, and leaves them black.
  if (code < 0 || has_ffmpeg_message()) {
    const int reason = code < 0 ? code : AVERROR_INVALIDDATA;
    throw VideoError(fmt::format("{}: damaged PNG: {}", file.path().string(), ffmpeg_error_text(reason)));
  }
  if (const int samples = wide_samples(*frame); samples > 0) return upper_bytes(*frame, samples);
  return FrameConverter(*frame, {}, file.path()).convert(*frame);
}

}  // namespace actionclip
