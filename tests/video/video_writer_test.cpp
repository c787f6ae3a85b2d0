#include "video/video_writer.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <unistd.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libswscale/swscale.h>
}

namespace actionclip {
namespace {

using ::testing::HasSubstr;

std::filesystem::path temporary_path(const std::string& name) {
  const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
  return std::filesystem::path(::testing::TempDir()) /
         (std::string(test->name()) + "_" + std::to_string(getpid()) + "_" + name);
}

Image plain_image(std::int64_t side, const std::array<std::uint8_t, 3>& colour) {
  Image image{side, side, {}};
  for (std::int64_t i = 0; i < side * side; ++i) {
    image.rgb.insert(image.rgb.end(), colour.begin(), colour.end());
  }
  return image;
}

struct Decoded {
  AVCodecID codec = AV_CODEC_ID_NONE;
  int pixel_format = -1;
  double frames_per_second = 0;
  std::int64_t claimed_frames = 0;
  double seconds = 0;
  std::vector<std::vector<std::uint8_t>> frames;  // RGB, [height, width, 3] each
};

// FFmpeg itself, without the library's own reader: what any other program would see.
Decoded decode(const std::filesystem::path& path) {
  Decoded result;
  AVFormatContext* container = nullptr;
  EXPECT_EQ(avformat_open_input(&container, path.c_str(), nullptr, nullptr), 0);
  EXPECT_GE(avformat_find_stream_info(container, nullptr), 0);
  const AVStream* stream = container->streams[0];
  const AVCodecParameters* parameters = stream->codecpar;
  result.codec = parameters->codec_id;
  result.pixel_format = parameters->format;
  result.frames_per_second = av_q2d(stream->avg_frame_rate);
  result.claimed_frames = stream->nb_frames;
  result.seconds = static_cast<double>(stream->duration) * av_q2d(stream->time_base);
  AVCodecContext* codec = avcodec_alloc_context3(avcodec_find_decoder(parameters->codec_id));
  avcodec_parameters_to_context(codec, parameters);
  EXPECT_EQ(avcodec_open2(codec, nullptr, nullptr), 0);
  const int width = parameters->width, height = parameters->height;
  SwsContext* to_rgb = sws_getContext(width, height, AV_PIX_FMT_YUV420P, width, height, AV_PIX_FMT_RGB24,
                                      SWS_BILINEAR | SWS_ACCURATE_RND, nullptr, nullptr, nullptr);
  AVPacket* packet = av_packet_alloc();
  AVFrame* frame = av_frame_alloc();
  for (bool more = true; more;) {
    more = av_read_frame(container, packet) == 0;
    avcodec_send_packet(codec, more ? packet : nullptr);
    av_packet_unref(packet);
    while (avcodec_receive_frame(codec, frame) == 0) {
      std::vector<std::uint8_t> rgb(static_cast<std::size_t>(3) * width * height);
      const std::array<std::uint8_t*, 1> rows = {rgb.data()};
      const std::array<int, 1> row_bytes = {3 * width};
      sws_scale(to_rgb, frame->data, frame->linesize, 0, height, rows.data(), row_bytes.data());
      result.frames.push_back(std::move(rgb));
    }
  }
  av_frame_free(&frame);
  av_packet_free(&packet);
  sws_freeContext(to_rgb);
  avcodec_free_context(&codec);
  avformat_close_input(&container);
  return result;
}

using Colours = std::vector<std::array<std::uint8_t, 3>>;

const Colours kColours = {{255, 0, 0},     {0, 255, 0}, {0, 0, 255},    {255, 255, 0},
                          {128, 128, 128}, {0, 0, 0},   {255, 255, 255}};

std::filesystem::path write_colours(const std::string& name, const Colours& colours = kColours) {
  const auto path = temporary_path(name);
  VideoWriter writer(path, {.width = 64, .height = 64, .frames_per_second = 12});
  for (const auto& colour : colours) writer.write(plain_image(64, colour));
  writer.finish();
  return path;
}

TEST(VideoWriter, WritesH264ThatFfmpegDecodesToTheSameFrames) {
  const auto path = write_colours("a.mp4");
  const Decoded video = decode(path);
  EXPECT_EQ(video.codec, AV_CODEC_ID_H264);
  EXPECT_EQ(video.pixel_format, AV_PIX_FMT_YUV420P);
  EXPECT_DOUBLE_EQ(video.frames_per_second, 12.0);
  EXPECT_EQ(video.claimed_frames, static_cast<std::int64_t>(kColours.size()));
  EXPECT_NEAR(video.seconds, static_cast<double>(kColours.size()) / 12, 0.01);
  ASSERT_EQ(video.frames.size(), kColours.size());
  constexpr std::size_t kMiddle = 3 * (32 * 64 + 32);
  for (std::size_t i = 0; i < kColours.size(); ++i) {
    for (std::size_t channel = 0; channel < 3; ++channel) {
      EXPECT_NEAR(video.frames[i][kMiddle + channel], kColours[i][channel], 8)
          << "frame " << i << " channel " << channel;
    }
  }
  std::filesystem::remove(path);
}

// What makes a clip and its reversal differ in the order of their frames alone.
TEST(VideoWriter, FramesLookTheSameWhateverCameBefore) {
  auto colours = kColours;
  const auto forwards = write_colours("a.mp4", colours);
  std::reverse(colours.begin(), colours.end());
  const auto backwards = write_colours("b.mp4", colours);
  auto frames = decode(backwards).frames;
  std::reverse(frames.begin(), frames.end());
  EXPECT_EQ(decode(forwards).frames, frames);
  std::filesystem::remove(forwards);
  std::filesystem::remove(backwards);
}

TEST(VideoWriter, SameFramesGiveSameBytes) {
  const auto a = write_colours("a.mp4"), b = write_colours("b.mp4");
  EXPECT_EQ(sha256_of_file(a), sha256_of_file(b));
  std::filesystem::remove(a);
  std::filesystem::remove(b);
}

TEST(VideoWriter, FrameOfAnotherSizeIsRefused) {
  const auto path = temporary_path("a.mp4");
  VideoWriter writer(path, {.width = 64, .height = 64});
  try {
    writer.write(plain_image(32, {0, 0, 0}));
    FAIL() << "no error";
  } catch (const VideoError& error) {
    EXPECT_THAT(error.what(), HasSubstr("frame 0 is 32x32, the video 64x64"));
  }
  std::filesystem::remove(path);
}

TEST(VideoWriter, SaysWhichFileCannotBeCreated) {
  const auto path = temporary_path("missing") / "a.mp4";
  try {
    const VideoWriter writer(path, {.width = 64, .height = 64});
    FAIL() << "no error";
  } catch (const VideoError& error) {
    EXPECT_THAT(error.what(), HasSubstr(path.string()));
    EXPECT_THAT(error.what(), HasSubstr("No such file or directory"));
  }
}

TEST(VideoWriter, PathWithAColonIsAFile) {
  const auto path = temporary_path("pipe:1.mp4");
  VideoWriter writer(path, {.width = 64, .height = 64});
  writer.write(plain_image(64, {255, 0, 0}));
  writer.finish();
  EXPECT_GT(std::filesystem::file_size(path), 500u);
  std::filesystem::remove(path);
}

// A full disk: /dev/full takes the bytes' place.
TEST(VideoWriter, FailedWriteIsReported) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  EXPECT_THROW(
      {
        VideoWriter writer("/dev/full", {.width = 64, .height = 64});
        for (int i = 0; i < 4; ++i) writer.write(plain_image(64, {255, 0, 0}));
        writer.finish();
      },
      VideoError);
}

}  // namespace
}  // namespace actionclip
