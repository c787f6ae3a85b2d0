// Figures of a list.

#include "actionclip/video/list_statistics.h"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace actionclip {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

VideoList list_of(const std::vector<std::vector<std::int32_t>>& label_ids) {
  VideoList list;
  for (std::size_t i = 0; i < label_ids.size(); ++i) {
    VideoEntry entry;
    entry.path = std::to_string(i) + ".mp4";
    entry.label_ids = label_ids[i];
    list.add(entry);
  }
  return list;
}

VideoFacts facts(const std::string& path, double seconds, std::int64_t frames) {
  VideoFacts video;
  video.path = path;
  video.seconds = seconds;
  video.frames = frames;
  video.fps = seconds > 0 ? static_cast<double>(frames) / seconds : 0;
  video.width = 340;
  video.height = 256;
  video.codec = "h264";
  video.decodable = true;
  return video;
}

TEST(ListStatistics, ClassesAreCountedAndNamed) {
  const LabelSet labels({"run", "jump", "sit", "lie"});
  const auto counted = count_classes(list_of({{0}, {0}, {0}, {1}, {3}, {3}}), &labels);
  EXPECT_EQ(counted.videos, 6);
  EXPECT_EQ(counted.labels_of_videos, 6);
  EXPECT_EQ(counted.classes, 3);
  EXPECT_EQ(counted.videos_of_class.min, 1);
  EXPECT_EQ(counted.videos_of_class.median, 2);
  EXPECT_EQ(counted.videos_of_class.max, 3);
  EXPECT_THAT(counted.rarest, ElementsAre(Pair("jump", 1), Pair("lie", 2), Pair("run", 3)));
  EXPECT_THAT(counted.bare_classes, ElementsAre("sit"));
}

TEST(ListStatistics, AVideoCountsForEachOfItsLabelsAndIdsStandForNames) {
  const auto counted = count_classes(list_of({{0, 2}, {2}}), nullptr);
  EXPECT_EQ(counted.videos, 2);
  EXPECT_EQ(counted.labels_of_videos, 3);
  EXPECT_EQ(counted.videos_of_class.median, 1.5);
  EXPECT_THAT(counted.rarest, ElementsAre(Pair("class 0", 1), Pair("class 2", 2)));
  EXPECT_TRUE(counted.bare_classes.empty());
}

TEST(ListStatistics, AListWithoutLabelsHasNoClasses) {
  const auto counted = count_classes(list_of({{}, {}}), nullptr);
  EXPECT_EQ(counted.classes, 0);
  EXPECT_TRUE(counted.rarest.empty());
}

TEST(ListStatistics, AManifestTellsHoursSizesAndWhatFailed) {
  const auto list = list_of({{0}, {0}, {0}, {0}, {0}});
  std::vector<VideoFacts> manifest;
  for (std::int64_t i = 0; i < 4; ++i) {
    manifest.push_back(facts(list.entry(i).path.string(), 10.0 * static_cast<double>(i), 250));
  }
  manifest[2].width = 320;
  manifest[3].decodable = false;
  const auto measured = measure(list, manifest);
  EXPECT_EQ(measured.videos, 3);
  EXPECT_EQ(measured.failed, 1);
  EXPECT_EQ(measured.unknown, 1);
  EXPECT_NEAR(measured.hours, 30.0 / 3600, 1e-12) << "one has no times";
  EXPECT_EQ(measured.seconds.median, 15);
  EXPECT_EQ(measured.fps.max, 25);
  EXPECT_EQ(measured.frames.min, 250);
  EXPECT_THAT(measured.sizes, ElementsAre(Pair("340x256", 2), Pair("320x256", 1)));
  EXPECT_THAT(measured.codecs, ElementsAre(Pair("h264", 3)));
}

}  // namespace
}  // namespace actionclip
