#include "video/frame_converter.h"

#include <cstdlib>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "actionclip/core/error.h"

extern "C" {
#include <libavutil/pixdesc.h>
}

namespace actionclip {
namespace {

constexpr int kScalerFlags = SWS_BILINEAR | SWS_BITEXACT;

// libswscale's vector code writes whole blocks, past the end of a row whose width is not a multiple.
constexpr int kRowAlignment = 64;

int padded_row_bytes(int width) { return FFALIGN(width * 3, kRowAlignment) + kRowAlignment; }

bool has_full_range(const AVFrame& frame) {
  if (frame.color_range != AVCOL_RANGE_UNSPECIFIED) return frame.color_range == AVCOL_RANGE_JPEG;
  switch (frame.format) {
    case AV_PIX_FMT_YUVJ420P:
    case AV_PIX_FMT_YUVJ411P:
    case AV_PIX_FMT_YUVJ422P:
    case AV_PIX_FMT_YUVJ444P:
    case AV_PIX_FMT_YUVJ440P:
      return true;
    default:
      // Grey frames come from images, whose black is 0.
      return av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format))->nb_components <= 2;
  }
}

// Copies a stored frame into `image`, turned.
void turn(const std::uint8_t* stored, int row_bytes, int width, int height, const Orientation& orientation,
          Image& image) {
  image.width = orientation.transpose ? height : width;
  image.height = orientation.transpose ? width : height;
  const std::size_t bytes = static_cast<std::size_t>(width) * height * 3;
  if (!orientation.transpose && !orientation.flip_x && !orientation.flip_y) {
    image.rgb.reserve(bytes);  // filling it with zeros first would take as long as the copy
    for (int y = 0; y < height; ++y) {
      const std::uint8_t* row = stored + static_cast<std::ptrdiff_t>(y) * row_bytes;
      image.rgb.insert(image.rgb.end(), row, row + static_cast<std::ptrdiff_t>(width) * 3);
    }
    return;
  }
  image.rgb.resize(bytes);
  const std::int64_t column_step =
      orientation.transpose ? image.width : 1;  // in pixels of the image, per stored column
  const std::int64_t row_step = orientation.transpose ? 1 : image.width;
  const std::int64_t origin =
      (orientation.flip_x ? image.width - 1 : 0) + (orientation.flip_y ? image.height - 1 : 0) * image.width;
  const bool columns_back = orientation.transpose ? orientation.flip_y : orientation.flip_x;
  const bool rows_back = orientation.transpose ? orientation.flip_x : orientation.flip_y;
  for (int y = 0; y < height; ++y) {
    const std::uint8_t* source = stored + static_cast<std::ptrdiff_t>(y) * row_bytes;
    std::uint8_t* target = image.rgb.data() + 3 * (origin + (rows_back ? -row_step : row_step) * y);
    const std::ptrdiff_t step = 3 * (columns_back ? -column_step : column_step);
    for (int x = 0; x < width; ++x) std::memcpy(target + step * x, source + 3 * x, 3);
  }
}

}  // namespace

Orientation orientation_of(const std::int32_t* matrix) {
  if (matrix == nullptr) return {};
  // A stored point (x, y) is shown at (a x + c y, b x + d y).
  const std::int64_t a = matrix[0], b = matrix[1], c = matrix[3], d = matrix[4];
  if (std::abs(a) + std::abs(d) >= std::abs(b) + std::abs(c)) return {false, a < 0, d < 0};
  return {true, c < 0, b < 0};
}

FrameConverter::FrameConverter(const AVFrame& first, Orientation orientation, std::filesystem::path path)
    : width_(first.width),
      height_(first.height),
      orientation_(orientation),
      path_(std::move(path)),
      stored_(static_cast<std::size_t>(padded_row_bytes(first.width)) * first.height + kRowAlignment) {}

void FrameConverter::set_up(const Source& source) {
  const auto format = static_cast<AVPixelFormat>(source.format);
  scaler_.reset(sws_getContext(source.width, source.height, format, width_, height_, AV_PIX_FMT_RGB24,
                               kScalerFlags, nullptr, nullptr, nullptr));
  source_ = scaler_ != nullptr ? source : Source{};
  if (scaler_ == nullptr) {
    const char* name = av_get_pix_fmt_name(format);
    throw VideoError(fmt::format("{}: frames of {} x {} '{}' cannot be converted to RGB", path_.string(),
                                 source.width, source.height, name != nullptr ? name : "unknown"));
  }
  // AVColorSpace numbers its matrices as sws_getCoefficients does. Refused for RGB sources, which need no
  // matrix.
  sws_setColorspaceDetails(scaler_.get(), sws_getCoefficients(source.space), source.full_range,
                           sws_getCoefficients(SWS_CS_DEFAULT), 1, 0, 1 << 16, 1 << 16);
}

Image FrameConverter::convert(const AVFrame& frame) {
  const Source source{frame.format, frame.width, frame.height, frame.colorspace, has_full_range(frame)};
  if (scaler_ == nullptr || source != source_) set_up(source);
  const int row_bytes = padded_row_bytes(width_);
  std::uint8_t* const planes[] = {stored_.data()};
  const int strides[] = {row_bytes};
  if (sws_scale(scaler_.get(), frame.data, frame.linesize, 0, frame.height, planes, strides) != height_) {
    throw VideoError(fmt::format("{}: a frame could not be converted to RGB", path_.string()));
  }
  Image image;
  turn(stored_.data(), row_bytes, width_, height_, orientation_, image);
  return image;
}

}  // namespace actionclip
