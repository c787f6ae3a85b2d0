// manifest.csv and the journal that lets a stopped run go on.

#include "actionclip/video/manifest.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"

#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

using ::testing::HasSubstr;

VideoFacts facts(const std::string& path) {
  VideoFacts video;
  video.path = path;
  video.bytes = 1234;
  video.modified = 1'700'000'000'123'456'789;
  video.frames = 250;
  video.seconds = 10;
  video.width = 340;
  video.height = 256;
  video.fps = 25;
  video.codec = "h264";
  video.sha256 = std::string(64, 'a');
  video.hash = VideoHash{{1, 2, 3, 4, 5, 6, 7, ~std::uint64_t{0}}};
  video.decodable = true;
  return video;
}

VideoFacts broken(const std::string& path) {
  VideoFacts video;
  video.path = path;
  video.reason = "damaged at frame 3: \"NAL\", no more";
  return video;
}

std::string error_of(const std::filesystem::path& file) {
  try {
    read_manifest(file);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Manifest, IsReadBackAsItWasWritten) {
  const TemporaryFolder folder;
  const std::vector<VideoFacts> videos = {facts("a/#1, \"two\" (3).mp4"), broken("b\nc.avi")};
  const auto file = folder.write("manifest.csv", manifest_text(videos));
  const auto read = read_manifest(file);
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(read[0].path, videos[0].path);
  EXPECT_EQ(read[0].bytes, 1234);
  EXPECT_EQ(read[0].modified, videos[0].modified);
  EXPECT_EQ(read[0].frames, 250);
  EXPECT_EQ(read[0].seconds, 10);
  EXPECT_EQ(read[0].fps, 25);
  EXPECT_EQ(read[0].sha256, videos[0].sha256);
  EXPECT_EQ(read[0].hash, videos[0].hash);
  EXPECT_TRUE(read[0].decodable);
  EXPECT_EQ(read[1].path, videos[1].path);
  EXPECT_EQ(read[1].reason, videos[1].reason);
  EXPECT_FALSE(read[1].decodable);
  EXPECT_FALSE(read[1].hash);
}

TEST(Manifest, WhatIsNoneIsRefusedWithItsLine) {
  const TemporaryFolder folder;
  const std::string good = manifest_text({facts("a.mp4")});
  EXPECT_THAT(error_of(folder.write("other.csv", "id,name\n0,a\n")), HasSubstr("other.csv:1: the header"));
  EXPECT_THAT(error_of(folder.write("short.csv", good + "b.mp4,1\n")), HasSubstr("short.csv:3: 2 fields"));
  auto odd = good;
  odd.replace(odd.find(",1234,"), 6, ",many,");
  EXPECT_THAT(error_of(folder.write("odd.csv", odd)), HasSubstr("odd.csv:2: 'many' is not an integer"));
}

TEST(ManifestJournal, AStoppedRunGoesOn) {
  const TemporaryFolder folder;
  {
    ManifestJournal journal(folder.path());
    journal.add(facts("a.mp4"));
    journal.add(facts("b.mp4"));
  }
  // Killed in the middle of a row.
  const auto file = folder / "manifest.journal.csv";
  write_text(file, read_text(file) + "c.mp4,12");
  ManifestJournal journal(folder.path());
  EXPECT_NE(journal.find("a.mp4", 1234, facts("").modified), nullptr);
  EXPECT_NE(journal.find("b.mp4", 1234, facts("").modified), nullptr);
  EXPECT_EQ(journal.find("c.mp4", 1234, facts("").modified), nullptr);
  journal.add(facts("c.mp4"));
  journal.finish({facts("a.mp4"), facts("b.mp4"), facts("c.mp4")});
  EXPECT_FALSE(std::filesystem::exists(file));
  EXPECT_EQ(read_manifest(folder / "manifest.csv").size(), 3u);
}

TEST(ManifestJournal, WhatIsKnownOutlivesASecondStop) {
  const TemporaryFolder folder;
  { ManifestJournal(folder.path()).add(facts("a.mp4")); }
  { ManifestJournal(folder.path()).add(facts("b.mp4")); }
  const ManifestJournal journal(folder.path());
  EXPECT_NE(journal.find("a.mp4", 1234, facts("").modified), nullptr);
  EXPECT_NE(journal.find("b.mp4", 1234, facts("").modified), nullptr);
}

TEST(ManifestJournal, ChangedAndFailedVideosAreExaminedAnew) {
  const TemporaryFolder folder;
  {
    ManifestJournal journal(folder.path());
    journal.finish({facts("a.mp4"), broken("b.mp4")});
  }
  const ManifestJournal journal(folder.path());
  const auto modified = facts("").modified;
  EXPECT_NE(journal.find("a.mp4", 1234, modified), nullptr);
  EXPECT_EQ(journal.find("a.mp4", 1235, modified), nullptr);
  EXPECT_EQ(journal.find("a.mp4", 1234, modified + 1), nullptr);
  EXPECT_EQ(journal.find("b.mp4", 0, 0), nullptr);
}

TEST(ManifestJournal, WithoutAFolderNothingIsKept) {
  ManifestJournal journal({});
  journal.add(facts("a.mp4"));
  journal.finish({facts("a.mp4")});
  EXPECT_EQ(journal.find("a.mp4", 1234, facts("").modified), nullptr);
}

}  // namespace
}  // namespace actionclip
