// Frames that are picked out equal those of a full decode, bit for bit, over codecs, structures of references
// and containers.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "actionclip/video/video_reader.h"

#include "tests/parity/run_python.h"
#include "tests/video/moving_videos.h"
#include "video/packet_index.h"
#include "video/selective_decoder.h"
#include "video/video_decoder.h"

namespace actionclip {
namespace {

using namespace actionclip::testing;

struct Kind {
  std::string name;
  std::string file;
  TestVideo video;
  bool selective = true;  // no full decode is needed
};

std::vector<Kind> kinds() {
  const auto with = [](TestVideo video, auto change) {
    change(video);
    return video;
  };
  const auto format = [&](AVPixelFormat pixel_format, int width, int height) {
    return with(moving("libx264"), [=](TestVideo& video) {
      video.pixel_format = pixel_format;
      video.width = width;
      video.height = height;
    });
  };
  const auto fragmented = with(moving("libx264"), [](TestVideo& video) {
    video.container_options = {{"movflags", "frag_keyframe+empty_moov"}};
  });
  const auto hidden = with(moving("libx264"), [](TestVideo& video) {
    for (int i = 0; i < kFrames; ++i) video.timestamps.push_back(i - 7);  // MP4 hides what is before 0
  });
  const auto uneven = with(moving("libx264"), [](TestVideo& video) {
    for (int i = 0; i < kFrames; ++i) video.timestamps.push_back(i + i / 5 * 3 + (i > 20 ? 40 : 0));
  });
  const auto in_band = with(moving("libx264", "repeat-headers=1"), [](TestVideo&) {});
  const auto turned = with(moving("libx264"), [](TestVideo& video) { video.rotation = 90; });
  const auto single = with(moving("libx264"), [](TestVideo& video) { video.frames = 1; });
  const char* open_gop = "open-gop=1:b-adapt=0:b-pyramid=2";
  return {
      {"H264", "a.mp4", moving("libx264")},
      {"H264Mkv", "a.mkv", moving("libx264")},
      {"H264OneKeyFrame", "a.mp4", moving("libx264", "", 250)},
      {"H264NoBFrames", "a.mp4", moving("libx264", "ref=3", 12, 0)},
      {"H264DeepPyramid", "a.mp4",
       moving("libx264", "b-pyramid=2:b-adapt=0:ref=8:weightp=2:direct=temporal", 20, 8)},
      {"H264StrictPyramid", "a.mkv", moving("libx264", "b-pyramid=1:b-adapt=0", 9, 4)},
      {"H264OpenGop", "a.mp4", moving("libx264", open_gop)},
      {"H264OpenGopMkv", "a.mkv", moving("libx264", open_gop)},
      {"H264IntraRefresh", "a.mp4", moving("libx264", "intra-refresh=1")},
      {"H264KeyFramesOnly", "a.mp4", moving("libx264", "", 1, 0)},
      {"H264Baseline", "a.mp4", moving("libx264", "cabac=0:8x8dct=0:weightp=0", 15, 0)},
      {"H264Slices", "a.mp4", moving("libx264", "slices=4")},
      {"H264Mbaff", "a.mp4", moving("libx264", "interlaced=1")},
      {"H264TenBit", "a.mp4", format(AV_PIX_FMT_YUV420P10, 96, 80)},
      {"H264OddSize", "a.mp4", format(AV_PIX_FMT_YUV444P, 97, 81)},
      {"H264Yuv422", "a.mp4", format(AV_PIX_FMT_YUV422P, 96, 80)},
      {"H264Fragmented", "a.mp4", fragmented},
      {"H264Mov", "a.mov", moving("libx264")},
      {"H264EditList", "a.mp4", hidden},
      {"H264Uneven", "a.mp4", uneven},
      {"H264UnevenMkv", "a.mkv", uneven},
      {"H264InBandHeaders", "a.mkv", in_band},
      {"H264Turned", "a.mp4", turned},
      {"H264OneFrame", "a.mp4", single},
      {"Hevc", "a.mp4", moving("libx265", "open-gop=0:keyint=12:min-keyint=12")},
      {"HevcOpenGop", "a.mp4", moving("libx265", "open-gop=1:keyint=12:min-keyint=12:bframes=4:b-adapt=0")},
      {"HevcOpenGopMkv", "a.mkv",
       moving("libx265", "open-gop=1:keyint=12:min-keyint=12:bframes=4:b-adapt=0")},
      {"HevcLayers", "a.mp4",
       moving("libx265", "temporal-layers=1:keyint=20:min-keyint=20:bframes=3:b-adapt=0")},
      {"HevcTenBit", "a.mkv",
       with(moving("libx265"), [](TestVideo& video) { video.pixel_format = AV_PIX_FMT_YUV420P10; })},
      {"Vp9", "a.webm", moving("libvpx-vp9")},
      {"Vp9Mp4", "a.mp4", moving("libvpx-vp9")},
      {"Vp8", "a.webm", moving("libvpx")},
      {"Av1", "a.mkv", moving("libaom-av1")},
      {"Av1Mp4", "a.mp4", moving("libaom-av1")},
      {"Mpeg4", "a.mp4", moving("mpeg4", "", 12, 0)},
      {"Mpeg4Mkv", "a.mkv", moving("mpeg4", "", 12, 0)},
      {"Mjpeg", "a.mkv",
       with(moving("mjpeg", "", 1, 0), [](TestVideo& video) { video.pixel_format = AV_PIX_FMT_YUVJ420P; })},
      // What cannot be predicted is decoded in full.
      {"Mpeg4BFrames", "a.mp4", moving("mpeg4", "", 12, 2), false},
      {"Mpeg4Avi", "a.avi", moving("mpeg4", "", 12, 2), false},
      {"H264Avi", "a.avi", moving("libx264", "", 12, 0), false},
      {"H264Ts", "a.ts", moving("libx264"), false},
      {"H264Flv", "a.flv", moving("libx264"), false},
      {"Mpeg2Mkv", "a.mkv", moving("mpeg2video", "", 12, 2), false}};
}

class FrameExactness : public ::testing::TestWithParam<Kind> {};

TEST_P(FrameExactness, EveryChoiceOfFramesEqualsTheFullDecode) {
  const auto& [name, file, video, selective] = GetParam();
  const TemporaryFolder folder;
  encode_video(folder / file, video);
  const auto whole = full_decode(folder / file);
  ASSERT_FALSE(whole.empty());
  const auto count = std::ssize(whole);
  VideoReader reused(folder / file);
  const auto choices = choices_of(count);
  // A full decode is what all is compared with: a few are enough.
  for (std::size_t i = 0; i < choices.size(); i += selective ? 1 : 13) {
    const auto& choice = choices[i];
    VideoReader fresh(folder / file);
    const auto chosen = fresh.read_chosen(always(choice));
    EXPECT_EQ(chosen.frame_count, count);
    EXPECT_EQ(differing(chosen.frames, choice, whole), "");
    EXPECT_EQ(fresh.statistics().full_passes > 0, !selective);
    EXPECT_EQ(differing(reused.read(choice), choice, whole), "") << "whatever was read before";
  }
  EXPECT_EQ(differing(VideoReader(folder / file).read(up_to(count)), up_to(count), whole), "");
}

// Before colour conversion, and beside a decode in which nothing of actionclip takes part.
TEST_P(FrameExactness, PicturesAreThoseOfFFmpegItself) {
  const auto& [name, file_name, video, selective] = GetParam();
  const TemporaryFolder folder;
  encode_video(folder / file_name, video);
  const auto whole = decode_with_ffmpeg(folder / file_name);
  RegularFile file(folder / file_name);
  const Deadline never(0);
  const auto open = [&] {
    return std::make_unique<VideoStream>(file, never, VideoStream::Analysis::if_needed);
  };
  if (!selective) {
    auto stream = std::make_unique<VideoStream>(file, never, VideoStream::Analysis::always);
    VideoDecoder decoder(std::move(stream));
    std::size_t count = 0;
    for (const AVFrame* frame = decoder.next(); frame != nullptr; frame = decoder.next(), ++count) {
      ASSERT_LT(count, whole.size());
      EXPECT_EQ(stored_pixels(*frame), whole[count]) << count;
    }
    EXPECT_EQ(count, whole.size());
    return;
  }
  std::string objection;
  SelectiveDecoder decoder(open(), open);
  const auto index = PacketIndex::scan(decoder.stream(), objection, [](const AVPacket&) {});
  ASSERT_TRUE(index) << objection;
  ASSERT_EQ(index->frame_count(), std::ssize(whole));
  const auto& stamps = index->times().stamps;
  for (const auto& choice : choices_of(index->frame_count())) {
    std::vector<std::size_t> packets;
    for (const std::int64_t i : choice) packets.push_back(index->by_time()[static_cast<std::size_t>(i)]);
    std::sort(packets.begin(), packets.end());
    std::vector<std::int64_t> given;
    decoder.decode(*index, index->plan(packets), [&](const AVFrame& frame, std::size_t) {
      given.push_back(std::lower_bound(stamps.begin(), stamps.end(), frame.pts) - stamps.begin());
      EXPECT_EQ(stored_pixels(frame), whole[static_cast<std::size_t>(given.back())]) << given.back();
    });
    EXPECT_TRUE(std::is_sorted(given.begin(), given.end()));
    for (const std::int64_t i : choice) EXPECT_TRUE(std::binary_search(given.begin(), given.end(), i)) << i;
  }
}

// PyAV brings another FFmpeg, some years younger.
TEST_P(FrameExactness, ColoursAreThoseOfPyAV) {
  const auto& [name, file, video, selective] = GetParam();
  if (video.rotation != 0) GTEST_SKIP() << "PyAV does not turn frames";
  const TemporaryFolder folder;
  encode_video(folder / file, video);
  const auto whole = full_decode(folder / file);
  const std::string reference = run_python("video_reference.py", {(folder / file).string()});
  const std::size_t bytes = static_cast<std::size_t>(video.width) * video.height * 3;
  ASSERT_EQ(reference.size(), whole.size() * bytes);
  int worst = 0;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    const int expected = static_cast<std::uint8_t>(reference[i]);
    worst = std::max(worst, std::abs(whole[i / bytes].rgb[i % bytes] - expected));
  }
  EXPECT_LE(worst, 2);
}

INSTANTIATE_TEST_SUITE_P(Kinds, FrameExactness, ::testing::ValuesIn(kinds()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace actionclip
