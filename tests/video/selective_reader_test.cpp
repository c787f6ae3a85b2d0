// Frames that are picked out equal those of a full decode, bit for bit.
#include "video/selective_reader.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"
#include "actionclip/video/video_reader.h"

#include "tests/log_capture.h"
#include "tests/video/test_videos.h"
#include "video/full_reader.h"
#include "video/video_decoder.h"

namespace actionclip {
namespace {

using ::testing::HasSubstr;
using namespace actionclip::testing;

constexpr int kFrames = 44;

std::vector<std::int64_t> up_to(std::int64_t count) {
  std::vector<std::int64_t> indices(static_cast<std::size_t>(count));
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
}

std::vector<Image> full_decode(const std::filesystem::path& path) {
  RegularFile file(path);
  const Deadline never(0);
  FullReader reader(file, never);
  return reader.read_to_end(up_to(reader.frame_count()));
}

// Of `count` frames: each alone, pairs near and far, and spreads of eight.
std::vector<std::vector<std::int64_t>> choices_of(std::int64_t count) {
  std::vector<std::vector<std::int64_t>> choices;
  for (std::int64_t i = 0; i < count; ++i) {
    choices.push_back({i});
    if (i % 3 == 0) choices.push_back({i, std::min(i + 1 + i % 5, count - 1)});
    if (i % 7 == 0) choices.push_back({i / 2, count - 1 - i / 3});
  }
  for (std::int64_t start = 0; start < 5 && start < count; ++start) {
    std::vector<std::int64_t> spread;
    for (std::int64_t i = 0; i < 8; ++i) spread.push_back(start + (count - 1 - start) * i / 7);
    choices.push_back(spread);
  }
  return choices;
}

std::string differing(const std::vector<Image>& images, const std::vector<std::int64_t>& indices,
                      const std::vector<Image>& whole) {
  std::string list;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const Image& expected = whole[static_cast<std::size_t>(indices[i])];
    if (images[i].rgb != expected.rgb || images[i].width != expected.width)
      list += std::to_string(indices[i]) + " ";
  }
  return list;
}

FrameChooser always(const std::vector<std::int64_t>& indices) {
  return [indices](std::int64_t) { return indices; };
}

struct Kind {
  std::string name;
  std::string file;
  TestVideo video;
  bool selective = true;  // no full decode is needed
};

TestVideo moving(const char* encoder, const char* parameters = "", int keyframe_interval = 12,
                 int b_frames = 3) {
  TestVideo video{.encoder = encoder, .width = 96, .height = 80, .frames = kFrames};
  video.keyframe_interval = keyframe_interval;
  video.b_frames = b_frames;
  video.paint = moving_frame;
  const std::string name = encoder;
  const std::string all =
      std::string(name == "libx265" ? "log-level=none:" : "") + "scenecut=0:" + parameters;
  if (name == "libx264") video.encoder_options = {{"x264-params", all}};
  if (name == "libx265") video.encoder_options = {{"x265-params", all}};
  if (name == "libvpx-vp9" || name == "libvpx")
    video.encoder_options = {
        {"deadline", "good"}, {"cpu-used", "5"}, {"auto-alt-ref", "1"}, {"lag-in-frames", "12"}};
  if (name == "libaom-av1") video.encoder_options = {{"cpu-used", "8"}, {"lag-in-frames", "12"}};
  return video;
}

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

class SelectiveReaderKinds : public ::testing::TestWithParam<Kind> {};

TEST_P(SelectiveReaderKinds, EveryChoiceOfFramesEqualsTheFullDecode) {
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
TEST_P(SelectiveReaderKinds, PicturesAreThoseOfFFmpegItself) {
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

INSTANTIATE_TEST_SUITE_P(Kinds, SelectiveReaderKinds, ::testing::ValuesIn(kinds()),
                         [](const auto& info) { return info.param.name; });

// --- What is saved ---

std::int64_t decoded_packets(const std::filesystem::path& path, const std::vector<std::int64_t>& indices) {
  VideoReader reader(path);
  reader.read_chosen(always(indices));
  EXPECT_EQ(reader.statistics().full_passes, 0) << path;
  return reader.statistics().packets_decoded;
}

TEST(SelectiveReader, DecodesFromTheNearestKeyFrameAndSkipsWhatNobodyRefersTo) {
  const TemporaryFolder folder;
  encode_video(folder / "a.mp4", moving("libx264", "b-adapt=0:b-pyramid=0", 12, 2));  // I B B P B B P ...
  EXPECT_EQ(decoded_packets(folder / "a.mp4", {0}), 1);
  EXPECT_EQ(decoded_packets(folder / "a.mp4", {12}), 1);
  EXPECT_EQ(decoded_packets(folder / "a.mp4", {24, 36}), 2);
  EXPECT_EQ(decoded_packets(folder / "a.mp4", {30}), 3);  // I P P
  EXPECT_EQ(decoded_packets(folder / "a.mp4", {28}), 4);  // I P P and the B between
  EXPECT_EQ(decoded_packets(folder / "a.mp4", {28, 29}), 5);
  encode_video(folder / "b.mp4",
               moving("libx265", "open-gop=0:keyint=12:min-keyint=12:b-adapt=0:b-pyramid=0"));
  EXPECT_EQ(decoded_packets(folder / "b.mp4", {24}), 1);
  EXPECT_LT(decoded_packets(folder / "b.mp4", {35}), 8);
  for (const char* encoder : {"libvpx-vp9", "libaom-av1", "mpeg4"}) {
    encode_video(folder / "c.mkv", moving(encoder, "", 12, 0));
    EXPECT_EQ(decoded_packets(folder / "c.mkv", {24}), 2) << encoder;  // and the first, for what it tells
    EXPECT_EQ(decoded_packets(folder / "c.mkv", {26}), 4) << encoder;
  }
}

TEST(SelectiveReader, ReadingOnAndOnDoesNotStartAnewEachTime) {
  const TemporaryFolder folder;
  encode_video(folder / "a.mp4", moving("libx264", "", 250));
  const auto whole = full_decode(folder / "a.mp4");
  VideoReader reader(folder / "a.mp4");
  for (std::int64_t start = 0; start + 4 <= kFrames; start += 4) {
    const std::vector<std::int64_t> next{start, start + 1, start + 2, start + 3};
    EXPECT_EQ(differing(reader.read(next), next, whole), "");
  }
  EXPECT_EQ(reader.statistics().full_passes, 1);
  EXPECT_LE(reader.statistics().packets_decoded, kFrames + 8);
}

// Noise, of which a group of pictures takes more bytes than are read rather than skipped, and all more than
// are kept in memory.
TestVideo large(const char* encoder) {
  auto video = moving(encoder, "qp=2", 6, 2);
  video.width = 256;
  video.height = 192;
  video.encoder_options["preset"] = "ultrafast";
  video.paint = [](std::int64_t index, int width, int height) {
    Image image = moving_frame(index, width, height);
    auto noise = static_cast<std::uint32_t>(index);
    for (auto& value : image.rgb)
      value = static_cast<std::uint8_t>((noise = noise * 1664525u + 1013904223u) >> 24);
    return image;
  };
  return video;
}

TEST(SelectiveReader, SeeksInLongFiles) {
  const TemporaryFolder folder;
  for (const char* name : {"a.mp4", "a.mkv"}) {
    encode_video(folder / name, large("libx264"));
    ASSERT_GT(std::filesystem::file_size(folder / name), 3u << 20);
    const auto whole = full_decode(folder / name);
    VideoReader reader(folder / name);
    for (const std::vector<std::int64_t>& choice :
         {std::vector<std::int64_t>{40}, {3}, {13, 38}, {0, 20, 43}, {7}}) {
      EXPECT_EQ(differing(reader.read_chosen(always(choice)).frames, choice, whole), "") << name;
    }
    EXPECT_GE(reader.statistics().seeks, 5) << name;
    EXPECT_LT(reader.statistics().packets_read, 2 * kFrames) << name;
    EXPECT_EQ(reader.statistics().full_passes, 0) << name;
  }
}

// --- Where the prediction fails ---

std::unique_ptr<SelectiveReader> selective_reader(RegularFile& file, const Deadline& deadline,
                                                  const std::string& known = "") {
  std::string objection;
  auto stream = std::make_unique<VideoStream>(file, deadline, VideoStream::Analysis::if_needed);
  EXPECT_TRUE(stream->simple());
  auto reader = SelectiveReader::make(file, deadline, std::move(stream), known, objection);
  EXPECT_NE(reader, nullptr) << objection;
  return reader;
}

std::string index_bytes(const std::filesystem::path& path) {
  RegularFile file(path);
  const Deadline never(0);
  return selective_reader(file, never)->index().to_bytes();
}

TEST(SelectiveReader, ARememberedIndexGivesTheSameFramesWithoutALookAtThePackets) {
  const TemporaryFolder folder;
  encode_video(folder / "a.mp4", large("libx264"));
  const auto whole = full_decode(folder / "a.mp4");
  const FrameIndex known(kFrames, "p" + index_bytes(folder / "a.mp4"));
  for (const auto& choice : choices_of(kFrames)) {
    VideoReader reader(folder / "a.mp4");
    const auto chosen = reader.read_chosen(always(choice), known);
    EXPECT_EQ(differing(chosen.frames, choice, whole), "");
    EXPECT_EQ(chosen.frame_count, kFrames);
    EXPECT_EQ(reader.statistics().full_passes, 0);
  }
}

TEST(SelectiveReader, AnIndexThatDoesNotFitLeadsToAFullDecode) {
  const TemporaryFolder folder;
  encode_video(folder / "a.mp4", moving("libx264"));
  encode_video(folder / "other.mp4", moving("libx264", "", 30));
  const auto whole = full_decode(folder / "a.mp4");
  const std::string other = index_bytes(folder / "other.mp4");
  for (const auto& known : {FrameIndex(60, "p" + other), FrameIndex(5, "p" + other.substr(0, 40)),
                            FrameIndex(5, "p"), FrameIndex(5, "x"), FrameIndex(-1, other)}) {
    const LogCapture log;
    VideoReader reader(folder / "a.mp4");
    const std::vector<std::int64_t> choice{3, 17, 40};
    const auto chosen = reader.read_chosen(always(choice), known);
    EXPECT_EQ(chosen.frame_count, kFrames);
    EXPECT_EQ(differing(chosen.frames, choice, whole), "");
  }
}

TEST(SelectiveReader, DamageIsNoticedWhereItIsNeededAndByCounting) {
  const TemporaryFolder folder;
  encode_video(folder / "a.mp4", moving("libx264"));
  RegularFile file(folder / "a.mp4");
  const Deadline never(0);
  const auto reader = selective_reader(file, never);
  const auto& packet = reader->index().packets()[reader->index().by_time()[30]];
  std::string bytes = read_text(folder / "a.mp4");
  for (std::int64_t i = packet.size / 4; i < packet.size; ++i)
    bytes[static_cast<std::size_t>(packet.position + i)] ^= 0x5A;
  write_text(folder / "a.mp4", bytes);

  const LogCapture log;
  EXPECT_THROW(VideoReader(folder / "a.mp4").read_chosen(always({2, 30})), VideoError);
  EXPECT_THROW(VideoReader(folder / "a.mp4").frame_count(), VideoError);
  VideoReader spared(folder / "a.mp4");
  EXPECT_EQ(spared.read_chosen(always({2, 40})).frame_count, kFrames);
  EXPECT_EQ(spared.statistics().full_passes, 0);
}

TEST(SelectiveReader, WhatTheContainerCallsKeyPacketsIsNotBelieved) {
  const TemporaryFolder folder;
  encode_video(folder / "true.mp4", moving("libx264", "", 30));
  for (const char* name : {"false.mp4", "false.mkv"}) {
    copy_packets(folder / "true.mp4", folder / name, [](AVPacket& packet, int) {
      packet.flags |= AV_PKT_FLAG_KEY;
      return true;
    });
    const auto whole = full_decode(folder / name);
    for (const std::vector<std::int64_t>& choice : {std::vector<std::int64_t>{20}, {10, 35}, {43}}) {
      VideoReader reader(folder / name);
      EXPECT_EQ(differing(reader.read_chosen(always(choice)).frames, choice, whole), "") << name;
      EXPECT_EQ(reader.statistics().full_passes, 0) << name;
    }
  }
}

TEST(SelectiveReader, MutatedFilesNeverCrash) {
  const TemporaryFolder folder;
  const LogCapture log;
  std::uint32_t state = 1;
  const auto random = [&state](std::size_t below) {
    return (state = state * 1664525u + 1013904223u) / 65536u % below;
  };
  for (const char* encoder : {"libx264", "libx265", "libvpx-vp9", "libaom-av1", "mpeg4", "mjpeg"}) {
    auto video = moving(encoder, "", 5, 0);
    video.frames = 10;
    if (video.encoder == "mjpeg") video.pixel_format = AV_PIX_FMT_YUVJ420P;
    for (const char* name : {"a.mp4", "a.mkv"}) {
      encode_video(folder / name, video);
      const std::string good = read_text(folder / name);
      for (int round = 0; round < 25; ++round) {
        std::string bytes = good;
        for (int i = 0; i < 6; ++i) bytes[random(bytes.size())] = static_cast<char>(random(256));
        write_text(folder / "mutant", bytes);
        try {
          const auto chosen = VideoReader(folder / "mutant").read_chosen([](std::int64_t count) {
            return std::vector<std::int64_t>{0, count / 2, count - 1};
          });
          EXPECT_EQ(chosen.frames.size(), 3u);
        } catch (const VideoError&) {
        }
      }
    }
  }
}

TEST(SelectiveReader, IndicesBeyondTheEndAreAnError) {
  const TemporaryFolder folder;
  encode_video(folder / "a.mp4", moving("libx264"));
  try {
    VideoReader(folder / "a.mp4").read(std::vector<std::int64_t>{4, kFrames, kFrames + 1});
    FAIL() << "no error";
  } catch (const VideoError& problem) {
    EXPECT_THAT(problem.what(), HasSubstr("a.mp4: frame 44 was asked for, but only 44 decode"));
  }
}

TEST(SelectiveReader, AVideoCutAtAnOpenGroupIsDecodedInFull) {
  const TemporaryFolder folder;
  encode_video(folder / "whole.mp4", moving("libx264", "open-gop=1:b-adapt=0"));
  cut_at_second_keyframe(folder / "whole.mp4", folder / "cut.mkv");
  const auto whole = full_decode(folder / "cut.mkv");
  VideoReader reader(folder / "cut.mkv");
  const std::vector<std::int64_t> choice{0, 5, 20};
  const auto chosen = reader.read_chosen(always(choice));
  EXPECT_EQ(chosen.frame_count, std::ssize(whole));
  EXPECT_EQ(differing(chosen.frames, choice, whole), "");
}

}  // namespace
}  // namespace actionclip
