// MPEG-4 part 2 (ISO/IEC 14496-2, section 6.2) and Motion JPEG (ITU-T T.81, annex B). An I-VOP refers to
// nothing; where all that stands before pictures is the same, what follows is too. A JPEG picture stands
// alone if it brings its tables.
#include <cstddef>

#include "video/nal_units.h"
#include "video/picture_parser.h"

namespace actionclip {
namespace {

class Mpeg4Pictures : public PictureParser {
 public:
  PictureFacts parse(const AVPacket& packet) override {
    const Bytes data = bytes_of(packet);
    PictureFacts facts;
    int pictures = 0;
    for (std::size_t i = 0; i + 4 < data.size(); ++i) {
      if (data[i] != 0 || data[i + 1] != 0 || data[i + 2] != 1) continue;
      if (data[i + 3] != kVop) continue;
      const Bytes before = without_times(data.first(i));
      if (pictures++ == 0 && !before.empty()) facts.headers = add_to_hash(0, before);
      const int kind = data[i + 4] >> 6;
      facts.seek_point = kind == kIntra;
      facts.reference = kind != kBidirectional;
      // With B-VOPs, when a frame comes out depends on flags that encoders get wrong; with sprites, on more
      // than the picture before.
      if (kind == kBidirectional) facts.objection = "it has B-VOPs";
      if (kind == kSprite) facts.objection = "it has sprites";
      // Whether a VOP is a mere place holder that shows nothing is not looked up: those are as short as this.
      if (data.size() - i < kShortest) facts.objection = "its packets may be empty pictures";
    }
    if (pictures != 1) return {.objection = "a packet is not one picture"};
    return facts;
  }

 private:
  static constexpr int kVop = 0xB6, kGroup = 0xB3, kIntra = 0, kBidirectional = 2, kSprite = 3;
  static constexpr std::size_t kShortest = 10;

  // What precedes a picture, but for a group's time stamp, which differs from group to group and which no
  // decoder needs.
  static Bytes without_times(Bytes headers) {
    for (std::size_t i = 0; i + 3 < headers.size(); ++i) {
      if (headers[i] == 0 && headers[i + 1] == 0 && headers[i + 2] == 1 && headers[i + 3] == kGroup)
        return headers.first(i);
    }
    return headers;
  }
};

class MjpegPictures : public PictureParser {
 public:
  explicit MjpegPictures(int height) : height_(height) {}

  PictureFacts parse(const AVPacket& packet) override {
    PictureFacts facts;
    facts.seek_point = true;
    facts.reference = false;
    if (!stands_alone(bytes_of(packet), facts.headers)) return {.objection = "its pictures lean on others"};
    return facts;
  }

 private:
  // Whether the markers up to the scan say of all tables what they are, and the picture is no mere field.
  bool stands_alone(Bytes data, std::uint64_t& huffman_tables) const {
    constexpr std::uint8_t kStart = 0xD8, kScan = 0xDA, kQuantiser = 0xDB, kHuffman = 0xC4, kBaseline = 0xC0;
    bool has_quantiser = false, has_frame = false;
    std::uint8_t has_huffman = 0;
    if (data.size() < 4 || data[0] != 0xFF || data[1] != kStart) return false;
    for (std::size_t i = 2; i + 8 < data.size();) {
      if (data[i] != 0xFF) return false;
      const std::uint8_t marker = data[i + 1];
      if (marker == kQuantiser) has_quantiser = true;
      if (marker == kHuffman) has_huffman = 1;
      if (marker == kBaseline) has_frame = (data[i + 5] << 8 | data[i + 6]) == height_;
      if (marker == kScan) {
        // Those without Huffman tables go by the standard's: all pictures must be of one kind.
        huffman_tables = add_to_hash(0, {&has_huffman, 1});
        return has_quantiser && has_frame;
      }
      i += 2 + (std::size_t{data[i + 2]} << 8 | data[i + 3]);
    }
    return false;
  }

  int height_;
};

}  // namespace

std::unique_ptr<PictureParser> make_mpeg4_parser() { return std::make_unique<Mpeg4Pictures>(); }

std::unique_ptr<PictureParser> make_mjpeg_parser(const AVCodecParameters& parameters) {
  return std::make_unique<MjpegPictures>(parameters.height);
}

}  // namespace actionclip
