// H.264 (ITU-T H.264, table 7-1 for the types of NAL units). What a decoder knows before an IDR picture is
// forgotten there, and pictures with nal_ref_idc 0 are referred to by none: both by the standard.
#include <algorithm>
#include <charconv>
#include <string_view>
#include <vector>

#include "video/nal_units.h"
#include "video/picture_parser.h"

namespace actionclip {
namespace {

enum NalType { kSlice = 1, kPartitionA = 2, kPartitionC = 4, kIdrSlice = 5, kSei = 6, kSps = 7, kPps = 8 };
constexpr int kSpsExtension = 13, kSubsetSps = 15;

// FFmpeg's decoder makes up for what early versions of the encoder x264 did wrong, which they name themselves
// in the first packet.
constexpr int kFaultlessX264 = 151;

bool names_a_faulty_x264(Bytes sei) {
  constexpr std::string_view kName = "x264 - core ";
  const std::string_view text(reinterpret_cast<const char*>(sei.data()), sei.size());
  const auto found = text.find(kName);
  if (found == std::string_view::npos) return false;
  int version = 0;
  const char* digits = text.data() + found + kName.size();
  std::from_chars(digits, text.data() + text.size(), version);
  return version < kFaultlessX264;
}

class H264Pictures : public PictureParser {
 public:
  explicit H264Pictures(const AVCodecParameters& parameters) : slice_headers_(parameters) {
    const Bytes extradata(parameters.extradata, static_cast<std::size_t>(parameters.extradata_size));
    const auto is_sps = [](Bytes unit) { return (unit[0] & 0x1F) == kSps; };
    fits_ = split_h264_extradata(extradata, length_bytes_, units_) &&
            std::count_if(units_.begin(), units_.end(), is_sps) == 1;
    for (const Bytes unit : units_) {
      if (!is_sps(unit) || unit.size() < 2) continue;
      // Of the profiles with 4:4:4, only these: the decoder treats some of x264's streams apart.
      has_444_ = unit[1] == 244 || unit[1] == 44 || unit[1] == 144;
    }
  }

  bool has_order() const override { return true; }
  bool can_skip_first() const override { return !has_444_ && !is_faulty_x264_; }

  PictureFacts parse(const AVPacket& packet) override {
    PictureFacts facts;
    if (!fits_) return {.objection = "its stream has not one sequence parameter set"};
    if (!split_nal_units(bytes_of(packet), length_bytes_, units_))
      return {.objection = "a packet is not whole NAL units"};
    int pictures = 0;
    facts.reference = false;
    for (const Bytes unit : units_) look_at(unit, facts, pictures);
    if (facts.objection != nullptr) return facts;
    if (pictures != 1) return {.objection = "a packet is not one picture"};
    const AVCodecParserContext& header = slice_headers_.parse(packet);
    if (header.picture_structure != AV_PICTURE_STRUCTURE_FRAME) return {.objection = "it has field pictures"};
    facts.order = header.output_picture_number;
    return facts;
  }

 private:
  void look_at(Bytes unit, PictureFacts& facts, int& pictures) {
    switch (const int type = unit[0] & 0x1F; type) {
      case kSlice:
      case kIdrSlice:
        facts.seek_point = facts.restart = type == kIdrSlice;
        if ((unit[0] & 0x60) != 0) facts.reference = true;
        if (unit.size() > 1 && (unit[1] & 0x80) != 0) ++pictures;  // first_mb_in_slice is 0
        break;
      case kPartitionA:
      case kPartitionA + 1:
      case kPartitionC:
        facts.objection = "it has data partitions";
        break;
      case kSps:
      case kPps:
      case kSpsExtension:
      case kSubsetSps:
        facts.headers = add_to_hash(facts.headers, unit);
        break;
      case kSei: {
        const auto content = unescaped(unit.subspan(1));
        if (has_sei_message(content, kSeiDisplayOrientation))
          facts.objection = "its pictures say how to turn";
        is_faulty_x264_ = is_faulty_x264_ || names_a_faulty_x264(content);
        break;
      }
      default:
        break;
    }
  }

  SliceHeaders slice_headers_;
  std::vector<Bytes> units_;
  int length_bytes_ = 0;
  bool fits_ = false;
  bool has_444_ = false;
  bool is_faulty_x264_ = false;
};

}  // namespace

std::unique_ptr<PictureParser> make_h264_parser(const AVCodecParameters& parameters) {
  return std::make_unique<H264Pictures>(parameters);
}

}  // namespace actionclip
