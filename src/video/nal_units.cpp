#include "video/nal_units.h"

#include <algorithm>

namespace actionclip {
namespace {

std::size_t big_endian(Bytes bytes) {
  std::size_t value = 0;
  for (const std::uint8_t byte : bytes) value = value << 8 | byte;
  return value;
}

// Position of the next 00 00 01 from `from` on, or the end.
std::size_t find_start_code(Bytes data, std::size_t from) {
  constexpr std::uint8_t kCode[] = {0, 0, 1};
  return static_cast<std::size_t>(
      std::search(data.begin() + static_cast<std::ptrdiff_t>(from), data.end(), kCode, kCode + 3) -
      data.begin());
}

void split_at_start_codes(Bytes data, std::vector<Bytes>& units) {
  for (std::size_t code = find_start_code(data, 0); code < data.size();) {
    const std::size_t next = find_start_code(data, code + 3);
    Bytes unit = data.subspan(code + 3, next - code - 3);
    while (!unit.empty() && unit.back() == 0) unit = unit.first(unit.size() - 1);
    if (!unit.empty()) units.push_back(unit);
    code = next;
  }
}

// Takes a unit behind a length of `length_bytes` off the front of `data`.
bool take_unit(Bytes& data, std::size_t length_bytes, std::vector<Bytes>& units) {
  if (data.size() < length_bytes) return false;
  const std::size_t length = big_endian(data.first(length_bytes));
  data = data.subspan(length_bytes);
  if (length > data.size()) return false;
  if (length > 0) units.push_back(data.first(length));
  data = data.subspan(length);
  return true;
}

}  // namespace

bool split_nal_units(Bytes data, int length_bytes, std::vector<Bytes>& units) {
  units.clear();
  if (length_bytes == 0) {
    split_at_start_codes(data, units);
    return !units.empty();
  }
  while (!data.empty()) {
    if (!take_unit(data, static_cast<std::size_t>(length_bytes), units)) return false;
  }
  return true;
}

bool split_h264_extradata(Bytes extradata, int& length_bytes, std::vector<Bytes>& units) {
  if (extradata.empty() || extradata[0] != 1) {  // no configuration record
    length_bytes = 0;
    return split_nal_units(extradata, 0, units);
  }
  units.clear();
  if (extradata.size() < 7) return false;
  length_bytes = (extradata[4] & 3) + 1;
  Bytes rest = extradata.subspan(5);
  for (const int mask : {0x1F, 0xFF}) {  // sequence, then picture parameter sets
    if (rest.empty()) return false;
    const int count = rest[0] & mask;
    rest = rest.subspan(1);
    for (int i = 0; i < count; ++i) {
      if (!take_unit(rest, 2, units)) return false;
    }
  }
  return true;
}

bool split_hevc_extradata(Bytes extradata, int& length_bytes, std::vector<Bytes>& units) {
  constexpr std::size_t kFixedBytes = 22;
  if (extradata.size() <= kFixedBytes || (extradata[0] == 0 && extradata[1] == 0)) {
    length_bytes = 0;
    return split_nal_units(extradata, 0, units);
  }
  units.clear();
  length_bytes = (extradata[21] & 3) + 1;
  const int arrays = extradata[kFixedBytes];
  Bytes rest = extradata.subspan(kFixedBytes + 1);
  for (int array = 0; array < arrays; ++array) {
    if (rest.size() < 3) return false;
    const std::size_t count = big_endian(rest.subspan(1, 2));
    rest = rest.subspan(3);
    for (std::size_t i = 0; i < count; ++i) {
      if (!take_unit(rest, 2, units)) return false;
    }
  }
  return true;
}

std::vector<std::uint8_t> unescaped(Bytes unit) {
  std::vector<std::uint8_t> bytes;
  bytes.reserve(unit.size());
  int zeros = 0;
  for (const std::uint8_t byte : unit) {
    if (zeros >= 2 && byte == 3) {
      zeros = 0;
      continue;
    }
    zeros = byte == 0 ? zeros + 1 : 0;
    bytes.push_back(byte);
  }
  return bytes;
}

bool has_sei_message(Bytes payload, int type) {
  // Type and size are each written as a run of 255 and a rest.
  const auto number = [&payload](std::size_t& value) {
    value = 0;
    while (!payload.empty() && payload[0] == 0xFF) {
      value += 0xFF;
      payload = payload.subspan(1);
    }
    if (payload.empty()) return false;
    value += payload[0];
    payload = payload.subspan(1);
    return true;
  };
  while (payload.size() > 2) {  // less is the end's stop bit
    std::size_t found = 0, size = 0;
    if (!number(found) || !number(size)) return false;
    if (found == static_cast<std::size_t>(type)) return true;
    payload = payload.subspan(std::min(size, payload.size()));
  }
  return false;
}

std::uint32_t BitReader::bits(int count) {
  std::uint32_t value = 0;
  for (int i = 0; i < count; ++i, ++position_) {
    const std::size_t byte = position_ / 8;
    const std::uint32_t bit = byte < bytes_.size() ? bytes_[byte] >> (7 - position_ % 8) & 1u : 0u;
    value = value << 1 | bit;
  }
  return value;
}

std::uint32_t BitReader::exp_golomb() {
  int zeros = 0;
  while (zeros < 32 && bits(1) == 0) ++zeros;
  if (zeros >= 32) return UINT32_MAX;
  return (1u << zeros) - 1 + bits(zeros);
}

std::uint64_t add_to_hash(std::uint64_t hash, Bytes bytes) {
  if (hash == 0) hash = 14695981039346656037u;
  for (const std::uint8_t byte : bytes) hash = (hash ^ byte) * 1099511628211u;
  return hash == 0 ? 1 : hash;
}

SliceHeaders::SliceHeaders(const AVCodecParameters& parameters)
    : codec_(owned<UniqueCodec>(avcodec_alloc_context3(nullptr))),
      parser_(owned<std::unique_ptr<AVCodecParserContext, Close>>(av_parser_init(parameters.codec_id))) {
  if (avcodec_parameters_to_context(codec_.get(), &parameters) < 0) throw std::bad_alloc();
  parser_->flags |= PARSER_FLAG_COMPLETE_FRAMES;
}

const AVCodecParserContext& SliceHeaders::parse(const AVPacket& packet) {
  std::uint8_t* data = nullptr;
  int size = 0;
  av_parser_parse2(parser_.get(), codec_.get(), &data, &size, packet.data, packet.size, packet.pts,
                   packet.dts, packet.pos);
  return *parser_;
}

}  // namespace actionclip
