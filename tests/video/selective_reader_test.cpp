// What picking frames out saves, and what it does where a file is not what it looks like. That the frames are
// those of a full decode is shown by frame_exactness_test.cpp.
#include "video/selective_reader.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"
#include "actionclip/video/video_reader.h"

#include "tests/log_capture.h"
#include "tests/video/moving_videos.h"
#include "video/full_reader.h"

namespace actionclip {
namespace {

using ::testing::HasSubstr;
using namespace actionclip::testing;

std::vector<Image> full_decode(const std::filesystem::path& path) {
  RegularFile file(path);
  const Deadline never(0);
  FullReader reader(file, never);
  return reader.read_to_end(up_to(reader.frame_count()));
}

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

// Matroska as it is made of AVI: AVI's header of the stream (BITMAPINFOHEADER) before the decoder's, and
// times of decoding.
void write_matroska_of_avi(const std::filesystem::path& path, const std::filesystem::path& plain) {
  const auto add_avi_header = [](AVCodecParameters& parameters) {
    std::string header(40, '\0');
    header[0] = 40;
    header.replace(16, 4, "XVID");
    const auto old_size = static_cast<std::size_t>(parameters.extradata_size);
    header.append(reinterpret_cast<const char*>(parameters.extradata), old_size);
    auto* data = static_cast<std::uint8_t*>(av_mallocz(header.size() + AV_INPUT_BUFFER_PADDING_SIZE));
    std::copy(header.begin(), header.end(), data);
    av_free(parameters.extradata);
    parameters.extradata = data;
    parameters.extradata_size = static_cast<int>(header.size());
  };
  encode_video(plain, moving("mpeg4", "", 12, 0));
  copy_packets(
      plain, path, [](AVPacket&, int) { return true; }, add_avi_header);
  constexpr std::string_view kOwnKind = "V_MPEG4/ISO/ASP", kAviKind = "V_MS/VFW/FOURCC";
  std::string bytes = read_text(path);
  const auto place = bytes.find(kOwnKind);
  ASSERT_NE(place, std::string::npos);
  write_text(path, bytes.replace(place, kOwnKind.size(), kAviKind));
}

TEST(SelectiveReader, PicksFramesOutOfMatroskaThatWasMadeOfAvi) {
  const TemporaryFolder folder;
  write_matroska_of_avi(folder / "a.mkv", folder / "plain.mkv");
  EXPECT_EQ(decoded_packets(folder / "a.mkv", {26}), 4);
  const std::vector<std::int64_t> choice{3, 26, 40};
  EXPECT_EQ(differing(VideoReader(folder / "a.mkv").read(choice), choice, full_decode(folder / "plain.mkv")),
            "");
}

TEST(SelectiveReader, ReadingOnAndOnDoesNotStartAnewEachTime) {
  const TemporaryFolder folder;
  encode_video(folder / "a.mp4", moving("libx264", "", 250));
  const auto whole = full_decode(folder / "a.mp4");
  VideoReader reader(folder / "a.mp4");
  for (std::int64_t start = 0; start + 4 <= kMovingFrames; start += 4) {
    const std::vector<std::int64_t> next{start, start + 1, start + 2, start + 3};
    EXPECT_EQ(differing(reader.read(next), next, whole), "");
  }
  EXPECT_EQ(reader.statistics().full_passes, 1);
  EXPECT_LE(reader.statistics().packets_decoded, kMovingFrames + 8);
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
    EXPECT_LT(reader.statistics().packets_read, 2 * kMovingFrames) << name;
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
  const FrameIndex known(kMovingFrames, "p" + index_bytes(folder / "a.mp4"));
  for (const auto& choice : choices_of(kMovingFrames)) {
    VideoReader reader(folder / "a.mp4");
    const auto chosen = reader.read_chosen(always(choice), known);
    EXPECT_EQ(differing(chosen.frames, choice, whole), "");
    EXPECT_EQ(chosen.frame_count, kMovingFrames);
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
    EXPECT_EQ(chosen.frame_count, kMovingFrames);
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
  EXPECT_EQ(spared.read_chosen(always({2, 40})).frame_count, kMovingFrames);
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
    VideoReader(folder / "a.mp4").read(std::vector<std::int64_t>{4, kMovingFrames, kMovingFrames + 1});
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
