// The units that H.264 and HEVC streams are cut into.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "video/ffmpeg.h"

namespace actionclip {

using Bytes = std::span<const std::uint8_t>;

// The NAL units of `data`, each with its header: behind lengths of `length_bytes` bytes each, or, if that is
// 0, behind start codes. False if the lengths do not add up.
bool split_nal_units(Bytes data, int length_bytes, std::vector<Bytes>& units);

// The same of a stream's extradata, which is an MP4 configuration record or, with start codes, the units
// themselves. Sets `length_bytes` to what the stream's packets use.
bool split_h264_extradata(Bytes extradata, int& length_bytes, std::vector<Bytes>& units);
bool split_hevc_extradata(Bytes extradata, int& length_bytes, std::vector<Bytes>& units);

// A unit's content without the bytes that keep it from looking like a start code.
std::vector<std::uint8_t> unescaped(Bytes unit);

// Whether `payload` (unescaped, behind the NAL header) of an SEI unit holds a message of this type.
bool has_sei_message(Bytes payload, int type);

// SEI: the way a display is to turn the picture (H.264 and HEVC alike).
inline constexpr int kSeiDisplayOrientation = 47;

// Bits from the first on; zeros behind the end.
class BitReader {
 public:
  explicit BitReader(Bytes bytes) : bytes_(bytes) {}

  std::uint32_t bits(int count);
  std::uint32_t exp_golomb();

 private:
  Bytes bytes_;
  std::size_t position_ = 0;  // in bits
};

// Adds bytes to a hash (FNV-1a, never 0).
std::uint64_t add_to_hash(std::uint64_t hash, Bytes bytes);

// FFmpeg's reader of slice headers.
class SliceHeaders {
 public:
  explicit SliceHeaders(const AVCodecParameters& parameters);

  // What it says of a packet: its output_picture_number and picture_structure among others.
  const AVCodecParserContext& parse(const AVPacket& packet);

 private:
  struct Close {
    void operator()(AVCodecParserContext* parser) const { av_parser_close(parser); }
  };
  UniqueCodec codec_;  // never opened; holds the extradata
  std::unique_ptr<AVCodecParserContext, Close> parser_;
};

}  // namespace actionclip
