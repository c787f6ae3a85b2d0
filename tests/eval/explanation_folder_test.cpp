#include "actionclip/eval/explanation_folder.h"

#include <filesystem>
#include <string>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/error.h"
#include "actionclip/video/image_file.h"
#include "actionclip/video/video_reader.h"

#include "eval/attention_pictures.h"
#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Of one label, ten frames of 33 x 33 pixels.
ExplainedPrediction ten_frames() {
  ExplainedPrediction explained;
  explained.clip.frames = at::randint(0, 256, {10, 3, 33, 33}, at::kByte);
  explained.attention = at::rand({10, 3, 3});
  explained.explanation.labels = {{"juggling", 0.9, 0.3, 0}};
  for (int t = 0; t < 10; ++t) {
    explained.clip.seconds.push_back(0.25 * t);
    explained.explanation.frames.push_back({.index = 6 * t, .seconds = 0.25 * t, .similarities = {0.1 * t}});
  }
  find_moments(explained.explanation);
  return explained;
}

TEST(ExplanationNames, AreThoseOfTheVideosAndUnique) {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "run.1");
  EXPECT_THAT(explanation_names({"a/clip.mp4", "b/clip.avi", "clip-2.mp4", "clip", "frames/", "", "/",
                                 (folder / "run.1").string(), (folder / "run.1/..").string()}),
              ElementsAre("clip", "clip-2", "clip-2-2", "clip-3", "frames", "video", "video-2", "run.1",
                          folder.path().filename().string()));
}

TEST(PlayingRate, IsTheVideosOwnAsNearAsWholeNumbersGet) {
  EXPECT_EQ(playing_rate({0, 0.25, 0.5, 0.75}), 4);
  EXPECT_EQ(playing_rate({0, 10, 20}), 1);
  EXPECT_EQ(playing_rate({0, 0.001}), 30);
  EXPECT_EQ(playing_rate({}), 2);
  EXPECT_EQ(playing_rate({3}), 2);
  EXPECT_EQ(playing_rate({3, 3}), 2);
}

TEST(ExplanationFolders, HoldEverythingThatShowsAnExplanation) {
  const TemporaryFolder folder;
  const ExplanationFolders folders(folder / "out", {"clip.mp4"});
  const auto explained = ten_frames();
  folders.write(0, explained);
  const auto own = folder / "out/clip";
  EXPECT_EQ(folders.folder(0), own);
  const auto json = nlohmann::json::parse(read_text(own / "explanation.json"));
  EXPECT_EQ(json.at("labels").at(0).at("moment").at("frame"), 9);
  EXPECT_THAT(read_text(own / "similarity.csv"), HasSubstr("frame,index,seconds,juggling\n0,0,0.000,0.0"));
  EXPECT_THAT(read_text(own / "similarity.svg"), HasSubstr("juggling"));
  EXPECT_EQ(read_image(own / "attention/frame_0009.png").width, 33);
  EXPECT_FALSE(std::filesystem::exists(own / "attention/frame_0010.png"));
  const auto sheet = read_image(own / "attention.png");
  EXPECT_EQ(sheet.width, 4 + 8 * (168 + 4)) << "eight side by side";
  VideoReader video(own / "attention.mp4");
  EXPECT_EQ(video.frame_count(), 10);
  const std::vector<std::int64_t> last = {9};
  EXPECT_EQ(video.read(last).front().height, 32) << "sides are even";
  EXPECT_NEAR(video.seconds_of(last).at(0), 9 * 0.25, 1e-6);
}

TEST(ExplanationFolders, AnEarlierExplanationGivesWayAndOfAFailedVideoIsRemoved) {
  const TemporaryFolder folder;
  const ExplanationFolders folders(folder.path(), {"clip.mp4"});
  auto explained = ten_frames();
  folders.write(0, explained);
  explained.clip.frames = explained.clip.frames.narrow(0, 0, 2);
  explained.attention = explained.attention.narrow(0, 0, 2);
  explained.explanation.frames.resize(2);
  find_moments(explained.explanation);
  folders.write(0, explained);
  EXPECT_FALSE(std::filesystem::exists(folder / "clip/attention/frame_0002.png"));
  EXPECT_TRUE(std::filesystem::exists(folder / "clip/attention/frame_0001.png"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1) << "nothing unfinished";
  folders.remove(0);
  EXPECT_FALSE(std::filesystem::exists(folder / "clip"));
}

TEST(ExplanationFolders, WhatIsNoExplanationIsNeitherReplacedNorRemoved) {
  const TemporaryFolder folder;
  folder.write("clip/attention/notes.txt", "mine");
  try {
    const ExplanationFolders folders(folder.path(), {"clip.mp4"});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("clip/attention/notes.txt is no part of an explanation"));
  }
  const ExplanationFolders folders(folder.path(), {"other.mp4"});
  folder.write("other/notes.txt", "mine");
  folders.remove(0);
  EXPECT_THROW(folders.write(0, ten_frames()), Error);
  EXPECT_EQ(read_text(folder / "other/notes.txt"), "mine");
  EXPECT_FALSE(std::filesystem::exists(folder / "other/explanation.json"));
}

TEST(ExplanationFolders, AFolderThatCannotBeMadeIsAnError) {
  const TemporaryFolder folder;
  folder.write("file", "");
  EXPECT_THROW(ExplanationFolders(folder / "file/out", {"clip.mp4"}), Error);
}

}  // namespace
}  // namespace actionclip
