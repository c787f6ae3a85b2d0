#include "video/picture_parser.h"

#include <stdexcept>

namespace actionclip {

bool can_parse_pictures(const AVCodecParameters& parameters) {
  switch (parameters.codec_id) {
    case AV_CODEC_ID_H264:
    case AV_CODEC_ID_HEVC:
    case AV_CODEC_ID_MPEG4:
      return parameters.extradata_size > 0;
    case AV_CODEC_ID_VP8:
    case AV_CODEC_ID_VP9:
    case AV_CODEC_ID_AV1:
    case AV_CODEC_ID_MJPEG:
      return true;
    default:
      return false;
  }
}

std::unique_ptr<PictureParser> make_picture_parser(const AVCodecParameters& parameters) {
  switch (parameters.codec_id) {
    case AV_CODEC_ID_H264:
      return make_h264_parser(parameters);
    case AV_CODEC_ID_HEVC:
      return make_hevc_parser(parameters);
    case AV_CODEC_ID_MPEG4:
      return make_mpeg4_parser();
    case AV_CODEC_ID_VP8:
      return make_vp8_parser();
    case AV_CODEC_ID_VP9:
      return make_vp9_parser();
    case AV_CODEC_ID_AV1:
      return make_av1_parser();
    case AV_CODEC_ID_MJPEG:
      return make_mjpeg_parser(parameters);
    default:
      throw std::invalid_argument("make_picture_parser: a codec that it does not know");
  }
}

}  // namespace actionclip
