#include "video/packet_index.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/video/test_videos.h"

namespace actionclip {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace actionclip::testing;

struct Scanned {
  std::optional<PacketIndex> index;
  std::string objection;
};

Scanned scan(const std::filesystem::path& path) {
  RegularFile file(path);
  const Deadline never(0);
  auto stream = std::make_unique<VideoStream>(file, never, VideoStream::Analysis::if_needed);
  if (!stream->simple()) return {std::nullopt, "not simple"};
  Scanned scanned;
  scanned.index = PacketIndex::scan(*stream, scanned.objection, [](const AVPacket&) {});
  return scanned;
}

TestVideo h264(const char* parameters, int keyframe_interval = 8, int b_frames = 2) {
  TestVideo video{
      .encoder_options = {{"x264-params", std::string("scenecut=0:b-adapt=0:b-pyramid=0:") + parameters}}};
  video.keyframe_interval = keyframe_interval;
  video.b_frames = b_frames;
  return video;
}

TEST(PacketIndex, TellsKeyPicturesFromThoseThatNobodyRefersTo) {
  const TemporaryFolder folder;
  encode_video(folder / "a.mp4", h264(""));
  const auto [index, objection] = scan(folder / "a.mp4");
  ASSERT_TRUE(index) << objection;
  EXPECT_EQ(index->frame_count(), 20);
  std::string kinds;  // in the order of time
  for (const std::size_t packet : index->by_time()) {
    const auto& entry = index->packets()[packet];
    kinds += entry.seek_point ? 'I' : entry.reference ? 'P' : 'b';
  }
  EXPECT_EQ(kinds, "IbbPbbPPIbbPbbPPIbbP");
  EXPECT_DOUBLE_EQ(static_cast<double>(index->times().stamps[5] - index->times().stamps[0]) *
                       index->times().unit.num / index->times().unit.den,
                   5.0 / 25);
}

TEST(PacketIndex, TellsHowFarPicturesAreOutOfOrder) {
  const TemporaryFolder folder;
  for (const auto& [parameters, b_frames, depth] :
       {std::tuple{"", 0, 0}, {"", 2, 1}, {"b-pyramid=2", 3, 2}, {"b-pyramid=2", 8, 2}}) {
    encode_video(folder / "a.mkv", h264(parameters, 20, b_frames));
    const auto [index, objection] = scan(folder / "a.mkv");
    ASSERT_TRUE(index) << objection;
    EXPECT_EQ(index->reorder_depth(), depth) << parameters << b_frames;
  }
}

TEST(PacketIndex, PlansTheFewestPackets) {
  const TemporaryFolder folder;
  encode_video(folder / "a.mp4", h264(""));
  const auto index = *scan(folder / "a.mp4").index;
  // In the file: I P b b P b b P, eight a group.
  const auto plan = [&](std::vector<std::size_t> packets) {
    std::vector<std::vector<std::size_t>> runs;
    for (const auto& run : index.plan(packets)) runs.push_back(run.packets);
    return runs;
  };
  EXPECT_THAT(plan({}), ElementsAre());
  EXPECT_THAT(plan({0}), ElementsAre(ElementsAre(0)));
  EXPECT_THAT(plan({6}), ElementsAre(ElementsAre(0, 1, 4, 6)));
  EXPECT_THAT(plan({2, 3, 8}), ElementsAre(ElementsAre(0, 1, 2, 3), ElementsAre(8)));
  EXPECT_THAT(plan({5, 17}), ElementsAre(ElementsAre(0, 1, 4, 5), ElementsAre(16, 17)));
}

TEST(PacketIndex, AFrameShownBeforeItsKeyPictureIsReachedFromTheGroupBefore) {
  const TemporaryFolder folder;
  TestVideo video{.encoder = "libx265", .frames = 30};
  video.encoder_options = {
      {"x265-params", "log-level=none:open-gop=1:keyint=10:min-keyint=10:scenecut=0:bframes=3:b-adapt=0"}};
  encode_video(folder / "a.mp4", video);
  const auto [index, objection] = scan(folder / "a.mp4");
  ASSERT_TRUE(index) << objection;
  const auto& packets = index->packets();
  int leading = 0;
  for (std::size_t i = 0, key = 0; i < packets.size(); ++i) {
    if (packets[i].seek_point) key = i;
    const std::size_t wanted[] = {i};
    const auto runs = index->plan(wanted);
    ASSERT_EQ(runs.size(), 1u);
    if (packets[i].pts < packets[key].pts) {
      ++leading;
      EXPECT_LT(runs[0].first, key);
      EXPECT_TRUE(std::find(runs[0].packets.begin(), runs[0].packets.end(), key) != runs[0].packets.end());
    } else {
      EXPECT_EQ(runs[0].first, key);
    }
  }
  EXPECT_GT(leading, 0);
}

TEST(PacketIndex, BytesGiveItBack) {
  const TemporaryFolder folder;
  encode_video(folder / "a.mp4", h264(""));
  const auto index = *scan(folder / "a.mp4").index;
  const std::string bytes = index.to_bytes();
  EXPECT_LT(bytes.size(), 20u * 12);
  EXPECT_EQ(index.reorder_depth(), 1);
  const auto read = PacketIndex::from_bytes(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->packets(), index.packets());
  EXPECT_EQ(read->by_time(), index.by_time());
  EXPECT_EQ(read->reorder_depth(), 1);
  EXPECT_EQ(read->times().stamps, index.times().stamps);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_FALSE(PacketIndex::from_bytes(bytes.substr(0, i))) << i;
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 0x91);
    PacketIndex::from_bytes(changed);  // whatever comes of it, nothing breaks
  }
  EXPECT_FALSE(PacketIndex::from_bytes(bytes + '\0'));
}

// --- What is not predicted ---

std::string objection_to(const std::filesystem::path& path) {
  const auto scanned = scan(path);
  return scanned.index ? "none" : scanned.objection;
}

TEST(PacketIndex, OtherContainersAndCodecsAreNotPredicted) {
  const TemporaryFolder folder;
  encode_video(folder / "a.ts", {});
  encode_video(folder / "a.avi", {.b_frames = 0});
  encode_video(folder / "b.avi", {.encoder = "mpeg4"});
  encode_video(folder / "a.mkv", {.encoder = "mpeg2video"});
  encode_video(folder / "b.mkv", {.encoder = "ffv1", .b_frames = 0});
  for (const char* name : {"a.ts", "a.avi", "b.avi", "a.mkv", "b.mkv"})
    EXPECT_EQ(objection_to(folder / name), "not simple") << name;
}

TEST(PacketIndex, StreamsWhoseFramesDependOnMoreAreNotPredicted) {
  const TemporaryFolder folder;
  encode_video(folder / "b_vops.mp4", {.encoder = "mpeg4"});
  EXPECT_THAT(objection_to(folder / "b_vops.mp4"), HasSubstr("B-VOPs"));

  encode_video(folder / "whole.mp4", h264("open-gop=1"));
  cut_at_second_keyframe(folder / "whole.mp4", folder / "cut.mkv");
  EXPECT_THAT(objection_to(folder / "cut.mkv"), HasSubstr("key picture"));

  TestVideo fast_start;
  fast_start.container_options = {{"movflags", "+faststart"}};
  encode_video(folder / "short.mp4", fast_start);
  const std::string whole = read_text(folder / "short.mp4");
  write_text(folder / "short.mp4", std::string_view(whole).substr(0, whole.size() * 9 / 10));
  EXPECT_NE(objection_to(folder / "short.mp4"), "none");
}

TEST(PacketIndex, PicturesShownInAnotherOrderThanTheyAreNumberedAreNotPredicted) {
  const TemporaryFolder folder;
  encode_video(folder / "a.mkv", h264("", 8, 0));
  const auto with_times = [&](const char* name, std::int64_t third, std::int64_t fourth) {
    copy_packets(folder / "a.mkv", folder / name, [&](AVPacket& packet, int number) {
      packet.dts = packet.pts - 100;
      if (number == 2) packet.pts = third;
      if (number == 3) packet.pts = fourth;
      return true;
    });
    return objection_to(folder / name);
  };
  EXPECT_EQ(with_times("same.mkv", 80, 120), "none");  // milliseconds
  EXPECT_THAT(with_times("swapped.mkv", 120, 80), HasSubstr("disagree"));
  EXPECT_THAT(with_times("equal.mkv", 120, 120), HasSubstr("two packets have one time"));
}

}  // namespace
}  // namespace actionclip
