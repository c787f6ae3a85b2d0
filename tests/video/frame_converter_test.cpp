#include "video/frame_converter.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/video/test_videos.h"
extern "C" {
#include <libavutil/cpu.h>
#include <libavutil/pixdesc.h>
}

namespace actionclip {
namespace {

using namespace actionclip::testing;

detail::Frame frame_of(AVPixelFormat format, int width, int height) {
  detail::Codec codec(avcodec_alloc_context3(nullptr));
  codec->pix_fmt = format;
  codec->width = width;
  codec->height = height;
  codec->colorspace = AVCOL_SPC_UNSPECIFIED;
  return detail::encoder_frame(moving_frame(3, width, height), *codec);
}

// As PyAV, torchcodec and decord convert: libswscale as it comes.
std::vector<std::uint8_t> plain_conversion(const AVFrame& frame) {
  const int row_bytes = FFALIGN(frame.width * 3, 64) + 64;
  std::vector<std::uint8_t> rows(static_cast<std::size_t>(row_bytes) * frame.height + 64);
  SwsContext* scaler =
      sws_getContext(frame.width, frame.height, static_cast<AVPixelFormat>(frame.format), frame.width,
                     frame.height, AV_PIX_FMT_RGB24, SWS_BILINEAR, nullptr, nullptr, nullptr);
  std::uint8_t* const planes[] = {rows.data()};
  sws_scale(scaler, frame.data, frame.linesize, 0, frame.height, planes, &row_bytes);
  sws_freeContext(scaler);
  std::vector<std::uint8_t> rgb;
  for (int y = 0; y < frame.height; ++y) {
    const auto row = rows.begin() + static_cast<std::ptrdiff_t>(y) * row_bytes;
    rgb.insert(rgb.end(), row, row + frame.width * 3);
  }
  return rgb;
}

constexpr AVPixelFormat kFormats[] = {AV_PIX_FMT_YUV420P,   AV_PIX_FMT_YUV422P,     AV_PIX_FMT_YUV444P,
                                      AV_PIX_FMT_YUV420P10, AV_PIX_FMT_YUV422P10LE, AV_PIX_FMT_GRAY8,
                                      AV_PIX_FMT_NV12,      AV_PIX_FMT_BGR24};
constexpr int kSizes[][2] = {{64, 48}, {67, 45}, {67, 46}, {100, 51}};

TEST(FrameConverter, ConvertsAsOthersDo) {
  for (const auto format : kFormats) {
    for (const auto& [width, height] : kSizes) {
      const auto frame = frame_of(format, width, height);
      FrameConverter converter(*frame, {}, "a.mp4");
      auto expected = plain_conversion(*frame);
      auto image = converter.convert(*frame);
      if (format == AV_PIX_FMT_GRAY8) continue;  // an image's black is 0
      // Here libswscale 6 does not interpolate chroma; frame_exactness_test.cpp compares with a later one.
      const bool has_blocks = format == AV_PIX_FMT_YUV420P && height % 2 == 0;
      if (av_pix_fmt_desc_get(format)->log2_chroma_h == 1 && !has_blocks) continue;
      EXPECT_EQ(image.rgb, expected) << av_get_pix_fmt_name(format) << ' ' << width << ' ' << height;
    }
  }
}

TEST(FrameConverter, VectorCodeOfAllProcessorsGivesTheSame) {
  const int all = av_get_cpu_flags();
  if ((all & AV_CPU_FLAG_SSSE3) == 0) GTEST_SKIP() << "not an x86";
  for (const auto format : kFormats) {
    for (const auto& [width, height] : kSizes) {
      const auto frame = frame_of(format, width, height);
      const auto image = FrameConverter(*frame, {}, "a.mp4").convert(*frame);
      av_force_cpu_flags(AV_CPU_FLAG_MMX | AV_CPU_FLAG_MMXEXT | AV_CPU_FLAG_SSE | AV_CPU_FLAG_SSE2 |
                         AV_CPU_FLAG_SSE3 | AV_CPU_FLAG_SSSE3);
      const auto old = FrameConverter(*frame, {}, "a.mp4").convert(*frame);
      av_force_cpu_flags(all);
      EXPECT_EQ(old.rgb, image.rgb) << av_get_pix_fmt_name(format) << ' ' << width << ' ' << height;
    }
  }
}

TEST(FrameConverter, FramesOfAnotherKindMidwayAreConvertedAsTheyAre) {
  const auto first = frame_of(AV_PIX_FMT_YUV420P, 64, 48), other = frame_of(AV_PIX_FMT_YUV444P, 64, 48);
  FrameConverter converter(*first, {}, "a.mp4");
  const auto before = converter.convert(*first);
  EXPECT_EQ(converter.convert(*other).rgb, plain_conversion(*other));
  EXPECT_EQ(converter.convert(*first).rgb, before.rgb);
}

}  // namespace
}  // namespace actionclip
