// VP8 (RFC 6386, section 9.1), VP9 (its bitstream specification, section 6.2 and annex B) and AV1 (its
// specification, sections 5.3 and 5.9). A key picture that is shown sets all that a decoder knows anew. What
// pictures leave behind in its tables is not told by their headers, so that none may be skipped.
#include <cstddef>

#include "video/nal_units.h"
#include "video/picture_parser.h"

namespace actionclip {
namespace {

class Vp8Pictures : public PictureParser {
 public:
  PictureFacts parse(const AVPacket& packet) override {
    PictureFacts facts;
    facts.presented = (packet.data[0] & 0x10) != 0;
    facts.seek_point = (packet.data[0] & 1) == 0 && facts.presented;
    return facts;
  }
};

class Vp9Pictures : public PictureParser {
 public:
  PictureFacts parse(const AVPacket& packet) override {
    PictureFacts facts;
    int shown = 0;
    bool is_first = true;
    const auto look_at = [&](Bytes picture) {
      BitReader reader(picture);
      constexpr std::uint32_t kLastProfile = 3;
      reader.bits(2);                                      // a mark
      if (reader.bits(2) == kLastProfile) reader.bits(1);  // its two bits are swapped: no matter
      bool is_key = false, is_shown = true;
      if (reader.bits(1) == 0) {  // not one that was decoded before
        is_key = reader.bits(1) == 0;
        is_shown = reader.bits(1) != 0;
      }
      if (is_first) facts.seek_point = is_key;
      is_first = false;
      shown += is_shown ? 1 : 0;
    };
    if (!for_each_picture(bytes_of(packet), look_at)) return {.objection = "a superframe is damaged"};
    if (shown != 1) return {.objection = "a packet is not one shown picture"};
    return facts;
  }

 private:
  // Calls `look_at` with each picture of a packet, which may be a superframe with an index at its end.
  template <typename LookAt>
  static bool for_each_picture(Bytes data, const LookAt& look_at) {
    const std::uint8_t mark = data.back();
    const std::size_t count = (mark & 7u) + 1, size_bytes = (mark >> 3 & 3u) + 1;
    const std::size_t index_bytes = 2 + count * size_bytes;
    if ((mark & 0xE0) != 0xC0 || data.size() < index_bytes || data[data.size() - index_bytes] != mark) {
      look_at(data);
      return true;
    }
    const Bytes index = data.subspan(data.size() - index_bytes + 1, count * size_bytes);
    Bytes rest = data.first(data.size() - index_bytes);
    for (std::size_t i = 0; i < count; ++i) {
      std::size_t size = 0;
      for (std::size_t byte = 0; byte < size_bytes; ++byte)
        size |= std::size_t{index[i * size_bytes + byte]} << (8 * byte);
      if (size == 0 || size > rest.size()) return false;
      look_at(rest.first(size));
      rest = rest.subspan(size);
    }
    return true;
  }
};

class Av1Pictures : public PictureParser {
 public:
  PictureFacts parse(const AVPacket& packet) override {
    PictureFacts facts;
    int shown = 0;
    bool is_first = true;
    for (Bytes rest = bytes_of(packet); !rest.empty();) {
      const std::uint8_t header = rest[0];
      const int type = header >> 3 & 15;
      const bool has_extension = (header & 4) != 0, has_size = (header & 2) != 0;
      if (has_extension && (rest.size() < 2 || (rest[1] >> 3 & 3) != 0))
        return {.objection = "it has several spatial layers"};
      rest = rest.subspan(has_extension ? 2 : 1);
      std::size_t size = rest.size();
      if (has_size && !take_size(rest, size)) return {.objection = "a packet is not whole units"};
      const Bytes content = rest.first(size);
      rest = rest.subspan(size);
      if (type == kSequenceHeader) {
        facts.headers = add_to_hash(facts.headers, content);
        BitReader reader(content);
        reader.bits(4);  // profile, still picture
        if (reader.bits(1) != 0) return {.objection = "its headers are those of a still picture"};
      } else if (type == kFrameHeader || type == kFrame) {
        look_at(content, facts, is_first, shown);
      }
    }
    if (shown != 1) return {.objection = "a packet is not one shown picture"};
    return facts;
  }

 private:
  static constexpr int kSequenceHeader = 1, kFrameHeader = 3, kFrame = 6;

  static void look_at(Bytes content, PictureFacts& facts, bool& is_first, int& shown) {
    BitReader reader(content);
    bool is_shown = true, is_key = false;
    if (reader.bits(1) == 0) {  // not one that was decoded before
      is_key = reader.bits(2) == 0;
      is_shown = reader.bits(1) != 0;
    }
    if (is_first) facts.seek_point = is_key && is_shown;
    is_first = false;
    shown += is_shown ? 1 : 0;
  }

  // Takes a size in groups of seven bits off the front of `rest`, which must have as many bytes behind it.
  static bool take_size(Bytes& rest, std::size_t& size) {
    size = 0;
    for (std::size_t i = 0; i < 8 && i < rest.size(); ++i) {
      size |= std::size_t{rest[i] & 0x7Fu} << (7 * i);
      if ((rest[i] & 0x80) != 0) continue;
      rest = rest.subspan(i + 1);
      return size <= rest.size();
    }
    return false;
  }
};

}  // namespace

std::unique_ptr<PictureParser> make_vp8_parser() { return std::make_unique<Vp8Pictures>(); }
std::unique_ptr<PictureParser> make_vp9_parser() { return std::make_unique<Vp9Pictures>(); }
std::unique_ptr<PictureParser> make_av1_parser() { return std::make_unique<Av1Pictures>(); }

}  // namespace actionclip
