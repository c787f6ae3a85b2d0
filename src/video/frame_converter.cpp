#include "video/frame_converter.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "actionclip/core/error.h"

extern "C" {
#include <libavutil/opt.h>
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

// Of one of whose chroma lines several lines of the picture take their colours.
bool shares_chroma_lines(int format) {
  const AVPixFmtDescriptor* description = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(format));
  return description->log2_chroma_h == 1 && description->log2_chroma_w <= 1 &&
         (description->flags & AV_PIX_FMT_FLAG_RGB) == 0;
}

// libswscale's code for whole blocks, which interpolates nothing.
bool is_converted_in_blocks(int format, int height) {
  return height % 2 == 0 &&
         (format == AV_PIX_FMT_YUV420P || format == AV_PIX_FMT_YUVJ420P || format == AV_PIX_FMT_YUVA420P);
}

// What shares chroma lines no more: by columns as libswscale would have it in RGB.
AVPixelFormat spread_format(int format, int width) {
  const bool is_wide = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(format))->comp[0].depth > 8;
  if (width % 2 != 0) return is_wide ? AV_PIX_FMT_YUV444P16 : AV_PIX_FMT_YUV444P;
  return is_wide ? AV_PIX_FMT_YUV422P16 : AV_PIX_FMT_YUV422P;
}

// In 256ths of the distance between two pixels, as libswscale wants it.
int chroma_column(AVChromaLocation location) {
  const bool is_left = location == AVCHROMA_LOC_LEFT || location == AVCHROMA_LOC_TOPLEFT ||
                       location == AVCHROMA_LOC_BOTTOMLEFT;
  return is_left ? 0 : 128;
}

int chroma_line(AVChromaLocation location) {
  if (location == AVCHROMA_LOC_TOP || location == AVCHROMA_LOC_TOPLEFT) return 0;
  return location == AVCHROMA_LOC_BOTTOM || location == AVCHROMA_LOC_BOTTOMLEFT ? 256 : 128;
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

FrameConverter::Source FrameConverter::source_of(const AVFrame& frame) const {
  // The lines of both fields take turns, and so do their lines of chroma.
  const bool has_fields = frame.interlaced_frame != 0 && shares_chroma_lines(frame.format) &&
                          frame.height % 2 == 0 && height_ % 2 == 0;
  return {.format = frame.format,
          .width = frame.width,
          .height = frame.height,
          .space = frame.colorspace,
          .full_range = has_full_range(frame),
          .chroma = frame.chroma_location,
          .fields = has_fields ? 2 : 1};
}

void FrameConverter::set_up(const Source& source) {
  source_ = {};
  const bool spreads = source.width == width_ && source.height == height_ &&
                       shares_chroma_lines(source.format) &&
                       !is_converted_in_blocks(source.format, source.height / source.fields);
  spreader_.reset();
  if (spreads) set_up_spreading(source);
  const auto format =
      spreads ? static_cast<AVPixelFormat>(spread_->format) : static_cast<AVPixelFormat>(source.format);
  scaler_.reset(sws_getContext(source.width, source.height / source.fields, format, width_,
                               height_ / source.fields, AV_PIX_FMT_RGB24, kScalerFlags, nullptr, nullptr,
                               nullptr));
  if (scaler_ == nullptr) {
    const char* name = av_get_pix_fmt_name(static_cast<AVPixelFormat>(source.format));
    throw VideoError(fmt::format("{}: frames of {} x {} '{}' cannot be converted to RGB", path_.string(),
                                 source.width, source.height, name != nullptr ? name : "unknown"));
  }
  // AVColorSpace numbers its matrices as sws_getCoefficients does. Refused for RGB sources, which need no
  // matrix.
  sws_setColorspaceDetails(scaler_.get(), sws_getCoefficients(source.space), source.full_range,
                           sws_getCoefficients(SWS_CS_DEFAULT), 1, 0, 1 << 16, 1 << 16);
  source_ = source;
}

// libswscale 6 interpolates chroma between lines well from planes to planes, but on its way to RGB takes the
// nearer line or the mean of two. So planes come first.
void FrameConverter::set_up_spreading(const Source& source) {
  const int height = source.height / source.fields;
  spread_ = owned<UniqueFrame>(av_frame_alloc());
  spread_->format = spread_format(source.format, source.width);
  spread_->width = source.width;
  spread_->height = height;
  if (av_frame_get_buffer(spread_.get(), 0) < 0) throw std::bad_alloc();
  spreader_ = owned<UniqueScaler>(sws_alloc_context());
  for (const auto& [option, value] : {std::pair{"srcw", source.width},
                                      {"srch", height},
                                      {"src_format", source.format},
                                      {"dstw", source.width},
                                      {"dsth", height},
                                      {"dst_format", spread_->format},
                                      {"sws_flags", kScalerFlags},
                                      {"src_h_chr_pos", chroma_column(source.chroma)},
                                      {"src_v_chr_pos", chroma_line(source.chroma)}})
    av_opt_set_int(spreader_.get(), option, value, 0);
  if (sws_init_context(spreader_.get(), nullptr, nullptr) < 0) {
    spreader_.reset();
    throw VideoError(fmt::format("{}: frames of {} x {} cannot be converted to RGB", path_.string(),
                                 source.width, source.height));
  }
  const int* matrix = sws_getCoefficients(source.space);
  sws_setColorspaceDetails(spreader_.get(), matrix, source.full_range, matrix, source.full_range, 0, 1 << 16,
                           1 << 16);
}

void FrameConverter::convert_field(const AVFrame& frame, int field) {
  const int fields = source_.fields, height = source_.height / fields;
  std::array<const std::uint8_t*, 4> planes{};
  std::array<int, 4> strides{};
  for (std::size_t i = 0; i < planes.size() && frame.data[i] != nullptr; ++i) {
    // A palette's plane has one line; what has fields has no palette.
    planes[i] = frame.data[i] + static_cast<std::ptrdiff_t>(field) * frame.linesize[i];
    strides[i] = frame.linesize[i] * fields;
  }
  int lines = height;
  if (spreader_ != nullptr) {
    lines = sws_scale(spreader_.get(), planes.data(), strides.data(), 0, height, spread_->data,
                      spread_->linesize);
    std::copy_n(spread_->data, planes.size(), planes.begin());
    std::copy_n(spread_->linesize, strides.size(), strides.begin());
  }
  const int row_bytes = padded_row_bytes(width_);
  std::uint8_t* const targets[] = {stored_.data() + static_cast<std::ptrdiff_t>(field) * row_bytes};
  const int target_strides[] = {row_bytes * fields};
  if (lines != height || sws_scale(scaler_.get(), planes.data(), strides.data(), 0, height, targets,
                                   target_strides) != height_ / fields) {
    throw VideoError(fmt::format("{}: a frame could not be converted to RGB", path_.string()));
  }
}

Image FrameConverter::convert(const AVFrame& frame) {
  const Source source = source_of(frame);
  if (scaler_ == nullptr || source != source_) set_up(source);
  for (int field = 0; field < source.fields; ++field) convert_field(frame, field);
  Image image;
  turn(stored_.data(), padded_row_bytes(width_), width_, height_, orientation_, image);
  return image;
}

}  // namespace actionclip
