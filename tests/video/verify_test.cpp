// What a full decode of a video tells, and which videos are the same.

#include "actionclip/video/verify.h"

#include <cmath>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"
#include "actionclip/video/image_file.h"
#include "actionclip/video/open_source.h"
#include "actionclip/video/video_reader.h"

#include "tests/places.h"
#include "tests/temporary_folder.h"
#include "tests/video/test_videos.h"
#include "video/resize_image.h"
#include "video/video_writer.h"

namespace actionclip {
namespace {

using actionclip::testing::encode_image;
using actionclip::testing::encode_silence;
using actionclip::testing::encode_video;
using actionclip::testing::frame_number;
using actionclip::testing::test_frame;
using actionclip::testing::TestVideo;
using ::testing::HasSubstr;

const std::filesystem::path kRealVideos = test_data_folder() / "videos";

VideoFacts examine(const std::filesystem::path& path, DatasetConfig config = {}, double seconds = 0) {
  VideoEntry entry;
  entry.path = path;
  return examine_video(entry, config, seconds);
}

// Waves that move: every frame and every `kind` of video differs.
Image wavy(int width, int height, int frame, double kind) {
  Image image{width, height, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const double u = static_cast<double>(x) / width, v = static_cast<double>(y) / height;
      const double wave = std::sin(kind * (9 * u + 4 * v) + frame / 6.0) * std::cos(5 * v - 3 * kind * u);
      const auto grey = static_cast<std::uint8_t>(128 + 100 * wave);
      image.rgb.insert(image.rgb.end(), {grey, grey, grey});
    }
  }
  return image;
}

void write_video(const std::filesystem::path& path, const std::vector<Image>& frames, int quantiser,
                 std::size_t step = 1) {
  VideoWriterConfig config;
  config.width = frames[0].width;
  config.height = frames[0].height;
  config.quantiser = quantiser;
  VideoWriter writer(path, config);
  for (std::size_t i = 0; i < frames.size(); i += step) writer.write(frames[i]);
  writer.finish();
}

std::vector<Image> wavy_frames(int count, double kind) {
  std::vector<Image> frames;
  for (int i = 0; i < count; ++i) frames.push_back(wavy(96, 64, i, kind));
  return frames;
}

TEST(ExamineVideo, AWholeVideoIsDescribed) {
  const TemporaryFolder folder;
  encode_video(folder / "a.mp4", {.frames = 20, .rate = 25});
  const auto facts = examine(folder / "a.mp4");
  EXPECT_TRUE(facts.decodable) << facts.reason;
  EXPECT_EQ(facts.frames, 20);
  EXPECT_NEAR(facts.seconds, 0.8, 1e-6);
  EXPECT_NEAR(facts.fps, 25, 1e-3);
  EXPECT_EQ(facts.width, 64);
  EXPECT_EQ(facts.height, 48);
  EXPECT_EQ(facts.codec, "h264");
  EXPECT_EQ(facts.sha256, sha256_of_file(folder / "a.mp4"));
  EXPECT_EQ(facts.bytes, static_cast<std::int64_t>(std::filesystem::file_size(folder / "a.mp4")));
  EXPECT_TRUE(facts.hash);
}

TEST(ExamineVideo, SizesAndHashesAreOfUprightFramesOfAnyDepth) {
  const TemporaryFolder folder;
  encode_video(folder / "turned.mp4", {.rotation = 90});
  const auto turned = examine(folder / "turned.mp4");
  EXPECT_EQ(turned.width, 48);
  EXPECT_EQ(turned.height, 64);
  encode_video(folder / "8.mkv", {.encoder = "ffv1", .b_frames = 0});
  encode_video(folder / "10.mkv", {.encoder = "ffv1", .pixel_format = AV_PIX_FMT_YUV420P10, .b_frames = 0});
  encode_video(folder / "rgb.mkv", {.encoder = "ffv1", .pixel_format = AV_PIX_FMT_BGR0, .b_frames = 0});
  const auto eight = examine(folder / "8.mkv"), ten = examine(folder / "10.mkv"),
             rgb = examine(folder / "rgb.mkv");
  ASSERT_TRUE(eight.hash && ten.hash && rgb.hash) << eight.reason << ten.reason << rgb.reason;
  EXPECT_LE(distance(*eight.hash, *ten.hash), 8);
  EXPECT_LE(distance(*eight.hash, *rgb.hash), 8);
}

TEST(ExamineVideo, WhatCannotBeDecodedSaysWhy) {
  const TemporaryFolder folder;
  encode_video(folder / "whole.avi", {.encoder = "mpeg4", .b_frames = 0});
  const std::string bytes = read_text(folder / "whole.avi");
  write_text(folder / "cut.avi", bytes.substr(0, bytes.size() / 2));
  write_text(folder / "empty.mp4", "");
  write_text(folder / "text.mp4", "this is no video");
  encode_silence(folder / "silence.avi");
  for (const auto& [name, reason] :
       std::vector<std::pair<std::string, std::string>>{{"empty.mp4", "is empty"},
                                                        {"text.mp4", "is not"},
                                                        {"silence.avi", "no video stream"},
                                                        {"gone.mp4", "No such file"}}) {
    const auto facts = examine(folder / name);
    EXPECT_FALSE(facts.decodable) << name;
    EXPECT_THAT(facts.reason, HasSubstr(reason));
    EXPECT_FALSE(facts.hash);
  }
  EXPECT_FALSE(examine(folder / "cut.avi").decodable);
  encode_video(folder / "slow.mp4", {.frames = 50});
  EXPECT_FALSE(examine(folder / "slow.mp4", {}, 1e-6).decodable) << "it took longer than a microsecond";
}

TEST(ExamineVideo, ImagesAndFoldersOfFramesAreVideosToo) {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "frames");
  for (int i = 0; i < 5; ++i) {
    write_jpeg(folder / ("frames/img_0000" + std::to_string(i + 1) + ".jpg"), wavy(48, 32, i, 1), 90);
  }
  DatasetConfig frames;
  frames.format = ListFormat::frames;
  const auto listed = examine(folder / "frames", frames), named = examine(folder / "frames");
  EXPECT_EQ(listed.frames, 5);
  EXPECT_EQ(listed.codec, "images");
  EXPECT_EQ(listed.width, 48);
  EXPECT_EQ(listed.sha256, named.sha256);
  EXPECT_EQ(examine(folder / "frames/img_00001.jpg").frames, 1);
  encode_image(folder / "still.png", "png", AV_PIX_FMT_RGB24, test_frame(0, 32, 32));
  EXPECT_EQ(examine(folder / "still.png").frames, 1);
  std::filesystem::remove(folder / "frames/img_00003.jpg");
  EXPECT_FALSE(examine(folder / "frames", frames).decodable) << "one is missing in between";
}

TEST(VerifyVideos, ResultsAreInOrderAndWhatIsKnownIsNotDecodedAgain) {
  const TemporaryFolder folder;
  std::vector<VideoToVerify> videos;
  for (int i = 0; i < 6; ++i) {
    const auto path = folder / ("videos/" + std::to_string(i) + ".mp4");
    std::filesystem::create_directories(path.parent_path());
    if (i == 4) {
      write_text(path, "broken");
    } else {
      encode_video(path, {.frames = 5 + i});
    }
    videos.emplace_back();
    videos.back().entry.path = path;
  }
  {
    ManifestJournal journal(folder.path());
    const auto facts = verify_videos(videos, {.workers = 3}, journal);
    ASSERT_EQ(facts.size(), 6u);
    for (int i = 0; i < 6; ++i) EXPECT_EQ(facts[static_cast<std::size_t>(i)].frames, i == 4 ? 0 : 5 + i);
    // As a run that is killed here.
  }
  // What is known is believed, so that a trace put there comes back.
  const auto journal_file = folder / "manifest.journal.csv";
  std::string text = read_text(journal_file);
  for (auto at = text.find(",h264,"); at != std::string::npos; at = text.find(",h264,")) {
    text.replace(at, 6, ",traced,");
  }
  write_text(journal_file, text);
  encode_video(videos[2].entry.path, {.frames = 9});
  ManifestJournal journal(folder.path());
  const auto facts = verify_videos(videos, {.workers = 0}, journal);
  for (const std::size_t i : {0u, 1u, 3u, 5u}) EXPECT_EQ(facts[i].codec, "traced");
  EXPECT_EQ(facts[2].codec, "h264") << "it has changed";
  EXPECT_EQ(facts[2].frames, 9);
  EXPECT_FALSE(facts[4].decodable);
}

TEST(VerifyVideos, APathIsAVideoOrAFolderOfThem) {
  const TemporaryFolder folder;
  folder.write("videos/b/2.mp4", "x");
  folder.write("videos/a/1.avi", "x");
  folder.write("frames/img_00001.jpg", "x");
  folder.write("videos/a/frames/img_00001.jpg", "x");
  const auto found = videos_at(folder / "videos");
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].entry.path, folder / "videos/a/1.avi");
  EXPECT_EQ(found[2].entry.path, folder / "videos/a/frames");
  EXPECT_EQ(videos_at(folder / "frames").at(0).entry.path, folder / "frames");
  EXPECT_EQ(videos_at(folder / "gone.mp4").at(0).entry.path, folder / "gone.mp4");
}

TEST(Verify, OfTheFoldersOfAClassThoseDecodeThatTrainingOpens) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "numbered");
  std::filesystem::create_directory(folder / "empty");
  for (const int i : {2, 10, 1})
    write_jpeg(folder / "numbered" / fmt::format("{}.jpg", i), test_frame(i, 64, 48), 95);
  folder.write("gap/img_00001.jpg", read_text(folder / "numbered/1.jpg"));
  folder.write("gap/img_00003.jpg", read_text(folder / "numbered/2.jpg"));
  DatasetConfig config;
  config.format = ListFormat::class_folders;
  const auto images =
      open_frames({.path = folder / "numbered"}, config)->read(std::vector<std::int64_t>{0, 1, 2});
  EXPECT_EQ(frame_number(images[0]), 1);
  EXPECT_EQ(frame_number(images[2]), 10);
  for (const auto* name : {"numbered", "empty", "gap"}) {
    bool opens = true;
    try {
      open_frames({.path = folder / name}, config);
    } catch (const VideoError&) {
      opens = false;
    }
    EXPECT_EQ(examine_video({.path = folder / name}, config, 0).decodable, opens) << name;
    EXPECT_EQ(opens, std::string(name) == "numbered");
  }
  EXPECT_THROW(open_frames({.path = folder / "numbered", .frame_count = 3}, config)
                   ->read(std::vector<std::int64_t>{0}),
               VideoError)
      << "a list that tells their number names them";
}

TEST(Duplicates, CopiesAtOtherQualitiesSizesAndRatesAreFoundAndOthersAreNot) {
  const TemporaryFolder folder;
  std::vector<VideoFacts> train, test;
  for (int kind = 0; kind < 6; ++kind) {
    const auto path = folder / ("train" + std::to_string(kind) + ".mp4");
    write_video(path, wavy_frames(32, 1 + 0.23 * kind), 18);
    train.push_back(examine(path));
  }
  std::filesystem::copy_file(folder / "train0.mp4", folder / "copy.mp4");
  test.push_back(examine(folder / "copy.mp4"));
  write_video(folder / "bad.mp4", wavy_frames(32, 1.23), 40);
  test.push_back(examine(folder / "bad.mp4"));
  write_video(folder / "slow.mp4", wavy_frames(32, 1.46), 24, 2);
  test.push_back(examine(folder / "slow.mp4"));
  write_video(folder / "other.mp4", wavy_frames(32, 4), 24);
  test.push_back(examine(folder / "other.mp4"));
  write_text(folder / "broken.mp4", "no video");
  test.push_back(examine(folder / "broken.mp4"));
  train.push_back(test.back());  // two broken videos are not the same for that

  const auto pairs = find_duplicates(train, test);
  ASSERT_EQ(pairs.size(), 3u);
  EXPECT_TRUE(pairs[0].same_content);
  for (std::int64_t i = 0; i < 3; ++i) {
    EXPECT_EQ(pairs[static_cast<std::size_t>(i)].left, i);
    EXPECT_EQ(pairs[static_cast<std::size_t>(i)].right, i);
    EXPECT_LE(pairs[static_cast<std::size_t>(i)].distance, kNearDistance);
  }
}

// kNearDistance against a real video: what it must reach, and what it must not.
TEST(Duplicates, TheThresholdSeparatesCopiesOfRealVideosFromOthers) {
  if (!std::filesystem::exists(kRealVideos)) GTEST_SKIP() << "no videos at " << kRealVideos;
  const TemporaryFolder folder;
  const auto original = examine(kRealVideos / "mpeg4_25fps.avi");
  ASSERT_TRUE(original.hash) << original.reason;
  VideoReader reader(kRealVideos / "mpeg4_25fps.avi");
  std::vector<std::int64_t> indices;
  for (std::int64_t i = 0; i < reader.frame_count(); ++i) indices.push_back(i);
  std::vector<Image> small;
  for (const auto& image : reader.read(indices)) small.push_back(resize_short_side(image, 120));
  write_video(folder / "small.mp4", small, 38);
  write_video(folder / "fewer.mp4", small, 24, 2);
  for (const char* copy : {"small.mp4", "fewer.mp4"}) {
    const auto facts = examine(folder / copy);
    ASSERT_TRUE(facts.hash) << facts.reason;
    EXPECT_LE(distance(*original.hash, *facts.hash), kNearDistance / 2) << copy;
  }
  const std::vector<Image> inner(small.begin() + 2, small.end() - 2);
  write_video(folder / "inner.mp4", inner, 24);
  EXPECT_LE(distance(*original.hash, *examine(folder / "inner.mp4").hash), kNearDistance)
      << "cut by two frames";
  for (const char* other : {"arm_wrestling.mp4", "flipping_a_pancake.mkv"}) {
    const auto facts = examine(kRealVideos / other);
    ASSERT_TRUE(facts.hash) << facts.reason;
    EXPECT_GT(distance(*original.hash, *facts.hash), 2 * kNearDistance) << other;
  }
}

TEST(Duplicates, InOneListEachPairIsFoundOnce) {
  const TemporaryFolder folder;
  std::vector<VideoFacts> videos;
  for (int kind = 0; kind < 3; ++kind) {
    const auto path = folder / ("video" + std::to_string(kind) + ".mp4");
    write_video(path, wavy_frames(32, 1 + 0.23 * kind), 18);
    videos.push_back(examine(path));
  }
  std::filesystem::copy_file(folder / "video1.mp4", folder / "copy.mp4");
  videos.push_back(examine(folder / "copy.mp4"));
  write_video(folder / "bad.mp4", wavy_frames(32, 1.46), 40);
  videos.push_back(examine(folder / "bad.mp4"));
  const auto pairs = find_duplicates_within(videos);
  ASSERT_EQ(pairs.size(), 2u);
  EXPECT_EQ(pairs[0].left, 1);
  EXPECT_EQ(pairs[0].right, 3);
  EXPECT_TRUE(pairs[0].same_content);
  EXPECT_EQ(pairs[1].left, 2);
  EXPECT_EQ(pairs[1].right, 4);
  EXPECT_FALSE(pairs[1].same_content);
  EXPECT_TRUE(find_duplicates_within({}).empty());
}

}  // namespace
}  // namespace actionclip
