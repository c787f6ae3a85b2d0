#include "actionclip/video/frame_count_cache.h"

#include <filesystem>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/video/test_videos.h"

namespace actionclip {
namespace {

using namespace actionclip::testing;

TEST(FrameCountCache, CountsSurviveInTheirFile) {
  const TemporaryFolder folder;
  write_text(folder / "a.mp4", "abc");
  {
    FrameCountCache cache(folder / "counts.json");
    EXPECT_EQ(cache.get(folder / "a.mp4"), std::nullopt);
    cache.put(folder / "a.mp4", 75);
    EXPECT_EQ(cache.get(folder / "a.mp4"), 75);
  }
  EXPECT_EQ(FrameCountCache(folder / "counts.json").get(folder / "a.mp4"), 75);
}

TEST(FrameCountCache, AVideoThatChangedIsCountedAgain) {
  const TemporaryFolder folder;
  FrameCountCache cache;
  write_text(folder / "a.mp4", "abc");
  cache.put(folder / "a.mp4", 75);
  write_text(folder / "a.mp4", "abcd");
  EXPECT_EQ(cache.get(folder / "a.mp4"), std::nullopt);
  cache.put(folder / "a.mp4", 76);
  std::filesystem::last_write_time(folder / "a.mp4",
                                   std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
  EXPECT_EQ(cache.get(folder / "a.mp4"), std::nullopt);
  std::filesystem::remove(folder / "a.mp4");
  EXPECT_EQ(cache.get(folder / "a.mp4"), std::nullopt);
}

TEST(FrameCountCache, FoldersAreNotRemembered) {
  const TemporaryFolder folder;
  FrameCountCache cache;
  cache.put(folder.path(), 75);
  EXPECT_EQ(cache.get(folder.path()), std::nullopt);
}

TEST(FrameCountCache, DamagedFilesAreBuiltAnew) {
  const TemporaryFolder folder;
  write_text(folder / "a.mp4", "abc");
  for (const char* text :
       {"", "{", "[]", "{\"version\":2,\"videos\":{}}", "{\"version\":1,\"videos\":{\"a\":[1]}}",
        "{\"version\":1,\"videos\":{\"a\":[1,2,0]}}", "{\"version\":1,\"videos\":{\"a\":[1,2,9000000000]}}",
        "{\"version\":1,\"videos\":{\"a\":[1,2,\"x\"]}}"}) {
    write_text(folder / "counts.json", text);
    {
      FrameCountCache cache(folder / "counts.json");
      cache.put(folder / "a.mp4", 75);
    }
    EXPECT_EQ(FrameCountCache(folder / "counts.json").get(folder / "a.mp4"), 75) << text;
  }
}

TEST(FrameCountCache, WorksInMemoryWhereItCannotWrite) {
  const TemporaryFolder folder;
  write_text(folder / "a.mp4", "abc");
  FrameCountCache cache(folder / "none" / "counts.json");
  cache.put(folder / "a.mp4", 75);
  cache.save();
  cache.save();
  EXPECT_EQ(cache.get(folder / "a.mp4"), 75);
  EXPECT_FALSE(std::filesystem::exists(folder / "none"));
}

TEST(FrameCountCache, ProcessesThatShareAFileKeepEachOthersCounts) {
  const TemporaryFolder folder;
  write_text(folder / "a.mp4", "abc");
  write_text(folder / "b.mp4", "abc");
  FrameCountCache first(folder / "counts.json"), second(folder / "counts.json");
  first.put(folder / "a.mp4", 1);
  second.put(folder / "b.mp4", 2);
  first.save();
  second.save();
  const FrameCountCache third(folder / "counts.json");
  EXPECT_EQ(third.get(folder / "a.mp4"), 1);
  EXPECT_EQ(third.get(folder / "b.mp4"), 2);
}

TEST(FrameCountCache, ThreadsMayShareIt) {
  const TemporaryFolder folder;
  FrameCountCache cache(folder / "counts.json");
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        const auto video = folder / (std::to_string(t) + "_" + std::to_string(i));
        write_text(video, "x");
        cache.put(video, i + 1);
        EXPECT_EQ(cache.get(video), i + 1);
        if (i % 10 == 0) cache.save();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  cache.save();
  EXPECT_EQ(FrameCountCache(folder / "counts.json").get(folder / "3_49"), 50);
}

TEST(FrameCountCache, LiesBesideTheList) {
  EXPECT_EQ(frame_count_file("/data/train.txt"), "/data/train.txt.frame_counts.json");
}

}  // namespace
}  // namespace actionclip
