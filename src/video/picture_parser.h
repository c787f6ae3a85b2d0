// What the bits of a packet say about its picture, without decoding it: whether a decoder can start there,
// whether others refer to it, when it is shown.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "video/ffmpeg.h"

namespace actionclip {

struct PictureFacts {
  // Why the packet's stream cannot be predicted, a sentence's end; else nullptr.
  const char* objection = nullptr;
  bool presented = true;  // one frame comes out; else none
  // Decoding may start here: from here on, but for pictures shown before this one, all comes out as if all
  // before had been decoded.
  bool seek_point = false;
  bool reference = true;  // of pictures of its own or a higher layer; where unknown, it is one
  int layer = 0;          // HEVC's TemporalId
  // Where the picture comes among those since the last `restart`, if the parser's has_order().
  std::int64_t order = 0;
  bool restart = false;
  std::uint64_t headers = 0;  // a hash of the parameter sets that the packet carries; 0: none
};

class PictureParser {
 public:
  virtual ~PictureParser() = default;

  // Packets come in the order of the file.
  virtual PictureFacts parse(const AVPacket& packet) = 0;

  // Whether pictures may be shown in another order than they are decoded in, which PictureFacts::order gives.
  virtual bool has_order() const { return false; }
  // Whether the stream's parameters are all that the first packet tells a decoder for those that follow. If
  // not, it is always decoded: the size of the video's frames, what made it and so which faults to allow for.
  virtual bool can_skip_first() const { return false; }
};

// Whether make_picture_parser() knows the codec, and `parameters` have what the parser and the decoder want.
bool can_parse_pictures(const AVCodecParameters& parameters);

std::unique_ptr<PictureParser> make_picture_parser(const AVCodecParameters& parameters);

// The parsers by family, for make_picture_parser().
std::unique_ptr<PictureParser> make_h264_parser(const AVCodecParameters& parameters);
std::unique_ptr<PictureParser> make_hevc_parser(const AVCodecParameters& parameters);
std::unique_ptr<PictureParser> make_vp8_parser();
std::unique_ptr<PictureParser> make_vp9_parser();
std::unique_ptr<PictureParser> make_av1_parser();
std::unique_ptr<PictureParser> make_mpeg4_parser();
std::unique_ptr<PictureParser> make_mjpeg_parser(const AVCodecParameters& parameters);

inline std::span<const std::uint8_t> bytes_of(const AVPacket& packet) {
  return {packet.data, static_cast<std::size_t>(packet.size)};
}

}  // namespace actionclip
