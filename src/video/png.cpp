#include "video/png.h"

#include <array>
#include <cstring>
#include <new>
#include <string>

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
  return FrameConverter(*frame, {}).convert(*frame);
}

}  // namespace actionclip
