// HEVC (ITU-T H.265, table 7-1 for the types of NAL units). Decoding may start at an IDR or CRA picture;
// those that follow a CRA in the file and precede it on the screen then cannot be decoded. A sub-layer
// non-reference picture is referred to by none of its own layer.
#include <algorithm>
#include <vector>

#include "video/nal_units.h"
#include "video/picture_parser.h"

namespace actionclip {
namespace {

constexpr int kLastLeading = 9, kFirstIrap = 16, kLastBla = 18, kFirstIdr = 19, kLastIdr = 20, kCra = 21,
              kLastVcl = 31, kVps = 32, kSps = 33, kPps = 34, kEndOfSequence = 36, kEndOfStream = 37,
              kPrefixSei = 39, kSuffixSei = 40;
constexpr int kFirstReserved = 10, kHeaderBytes = 2;

int type_of(Bytes unit) { return unit[0] >> 1 & 0x3F; }
bool is_base_layer(Bytes unit) { return (unit[0] & 1) == 0 && unit[1] >> 3 == 0; }

// Whether slices say for themselves if their picture is shown.
bool may_hide_pictures(Bytes pps) {
  const auto content = unescaped(pps.subspan(kHeaderBytes));
  BitReader reader(content);
  reader.exp_golomb();  // its number
  reader.exp_golomb();  // that of its sequence
  reader.bits(1);       // dependent slices
  return reader.bits(1) != 0;
}

class HevcPictures : public PictureParser {
 public:
  explicit HevcPictures(const AVCodecParameters& parameters) : slice_headers_(parameters) {
    const Bytes extradata(parameters.extradata, static_cast<std::size_t>(parameters.extradata_size));
    int sequences = 0;
    bool readable = split_hevc_extradata(extradata, length_bytes_, units_);
    for (const Bytes unit : units_) {
      if (unit.size() <= kHeaderBytes) {
        readable = false;
      } else if (is_base_layer(unit)) {
        if (type_of(unit) == kSps) ++sequences;
        if (type_of(unit) == kPps) hides_pictures_ = hides_pictures_ || may_hide_pictures(unit);
      }
    }
    fits_ = readable && sequences == 1;
  }

  bool has_order() const override { return true; }
  bool can_skip_first() const override { return true; }

  PictureFacts parse(const AVPacket& packet) override {
    if (!fits_) return {.objection = "its stream has not one sequence parameter set"};
    if (!split_nal_units(bytes_of(packet), length_bytes_, units_))
      return {.objection = "a packet is not whole NAL units"};
    PictureFacts facts;
    int pictures = 0;
    for (const Bytes unit : units_) {
      if (unit.size() <= kHeaderBytes) return {.objection = "a packet has a NAL unit without content"};
      if (is_base_layer(unit)) look_at(unit, facts, pictures);
    }
    if (hides_pictures_) facts.objection = "its pictures may be hidden";
    if (facts.objection != nullptr) return facts;
    if (pictures != 1) return {.objection = "a packet is not one picture"};
    facts.order = slice_headers_.parse(packet).output_picture_number;
    is_first_ = false;
    return facts;
  }

 private:
  void look_at(Bytes unit, PictureFacts& facts, int& pictures) {
    const int type = type_of(unit);
    if (type <= kLastVcl) {
      look_at_slice(unit, type, facts, pictures);
    } else if (type == kVps || type == kSps || type == kPps) {
      facts.headers = add_to_hash(facts.headers, unit);
      if (type == kPps) hides_pictures_ = hides_pictures_ || may_hide_pictures(unit);
    } else if (type == kEndOfSequence || type == kEndOfStream) {
      facts.objection = "it is several sequences";
    } else if (type == kPrefixSei || type == kSuffixSei) {
      if (has_sei_message(unescaped(unit.subspan(kHeaderBytes)), kSeiDisplayOrientation))
        facts.objection = "its pictures say how to turn";
    }
  }

  void look_at_slice(Bytes unit, int type, PictureFacts& facts, int& pictures) {
    if ((unit[2] & 0x80) != 0) ++pictures;  // first_slice_segment_in_pic_flag
    facts.layer = (unit[1] & 7) - 1;
    facts.reference = type > kLastLeading || type % 2 != 0;
    facts.seek_point = type >= kFirstIdr && type <= kCra;
    facts.restart = type == kFirstIdr || type == kLastIdr;
    if ((type >= kFirstReserved && type < kFirstIrap) || type > kCra) {
      facts.objection = "it has pictures of reserved types";
    } else if (type >= kFirstIrap && type <= kLastBla) {
      facts.objection = "it was cut at pictures that others refer across";
    } else if (type >= kFirstIrap && !is_first_ && (unit[2] & 0x40) != 0) {
      facts.objection = "a picture drops those before it";  // no_output_of_prior_pics_flag
    }
  }

  SliceHeaders slice_headers_;
  std::vector<Bytes> units_;
  int length_bytes_ = 0;
  bool fits_ = false;
  bool hides_pictures_ = false;
  bool is_first_ = true;
};

}  // namespace

std::unique_ptr<PictureParser> make_hevc_parser(const AVCodecParameters& parameters) {
  return std::make_unique<HevcPictures>(parameters);
}

}  // namespace actionclip
