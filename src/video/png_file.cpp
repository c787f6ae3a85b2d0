#include "actionclip/video/png_file.h"

#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"

#include "video/ffmpeg.h"

namespace actionclip {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& what, int code) {
  throw Error(fmt::format("cannot write {}: {}: {}", path.string(), what, ffmpeg_error_text(code)));
}

UniqueCodec open_encoder(const std::filesystem::path& path, const Image& image) {
  const AVCodec* encoder = avcodec_find_encoder(AV_CODEC_ID_PNG);
  if (encoder == nullptr) {
    throw Error(fmt::format(
        "cannot write {}: FFmpeg's libavcodec has no PNG encoder; install one that has it", path.string()));
  }
  UniqueCodec codec(avcodec_alloc_context3(encoder));
  codec->width = static_cast<int>(image.width);
  codec->height = static_cast<int>(image.height);
  codec->time_base = {1, 1};
  codec->pix_fmt = AV_PIX_FMT_RGB24;
  codec->thread_count = 1;
  if (const int code = avcodec_open2(codec.get(), encoder, nullptr); code < 0)
    fail(path, "PNG encoder", code);
  return codec;
}

UniqueFrame frame_of(const std::filesystem::path& path, const Image& image) {
  UniqueFrame frame(av_frame_alloc());
  frame->format = AV_PIX_FMT_RGB24;
  frame->width = static_cast<int>(image.width);
  frame->height = static_cast<int>(image.height);
  if (const int code = av_frame_get_buffer(frame.get(), 0); code < 0) fail(path, "frame", code);
  const auto row_bytes = static_cast<std::size_t>(3 * image.width);
  for (std::int64_t y = 0; y < image.height; ++y) {
    std::memcpy(frame->data[0] + y * frame->linesize[0],
                image.rgb.data() + static_cast<std::size_t>(y) * row_bytes, row_bytes);
  }
  return frame;
}

}  // namespace

void write_png(const std::filesystem::path& path, const Image& image) {
  capture_ffmpeg_messages();
  clear_ffmpeg_message();
  const UniqueCodec codec = open_encoder(path, image);
  const UniqueFrame frame = frame_of(path, image);
  const UniquePacket packet(av_packet_alloc());
  int code = avcodec_send_frame(codec.get(), frame.get());
  if (code >= 0) code = avcodec_send_frame(codec.get(), nullptr);
  if (code >= 0) code = avcodec_receive_packet(codec.get(), packet.get());
  if (code < 0) fail(path, "encoding", code);
  write_file_atomically(path, std::string_view(reinterpret_cast<const char*>(packet->data),
                                               static_cast<std::size_t>(packet->size)));
}

}  // namespace actionclip
