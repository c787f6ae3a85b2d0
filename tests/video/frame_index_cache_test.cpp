#include "actionclip/video/frame_index_cache.h"

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/log_capture.h"
#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t kHeaderBytes = 64, kRecordBytes = 48;

TEST(FrameIndexCache, IndicesSurviveInTheirFile) {
  const TemporaryFolder folder;
  write_text(folder / "a.mp4", "abc");
  const FrameIndex index(75, std::string("details\0with zeros", 18));
  {
    FrameIndexCache cache(folder / "index");
    EXPECT_EQ(cache.get(folder / "a.mp4"), std::nullopt);
    EXPECT_FALSE(std::filesystem::exists(folder / "index")) << "there is nothing to keep";
    cache.put(folder / "a.mp4", index);
    EXPECT_EQ(cache.get(folder / "a.mp4"), index);
  }
  FrameIndexCache cache(folder / "index");
  EXPECT_EQ(cache.get(folder / "a.mp4"), index);
  cache.put(folder / "a.mp4", 76);  // the newest counts
  EXPECT_EQ(cache.get(folder / "a.mp4"), FrameIndex(76));
  EXPECT_EQ(FrameIndexCache(folder / "index").get(folder / "a.mp4"), FrameIndex(76));
}

TEST(FrameIndexCache, KeptInMemoryItNeedsNoFile) {
  const TemporaryFolder folder;
  FrameIndexCache cache;
  for (int i = 0; i < 3; ++i) {
    const auto video = folder / std::to_string(i);
    write_text(video, "abc");
    cache.put(video, {i + 1, std::string(100, static_cast<char>('a' + i))});
  }
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(cache.get(folder / std::to_string(i)),
              FrameIndex(i + 1, std::string(100, static_cast<char>('a' + i))));
  }
}

TEST(FrameIndexCache, AVideoThatChangedIsLookedAtAgain) {
  const TemporaryFolder folder;
  FrameIndexCache cache(folder / "index");
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

TEST(FrameIndexCache, FoldersAreNotRemembered) {
  const TemporaryFolder folder;
  FrameIndexCache cache(folder / "index");
  cache.put(folder.path(), 75);
  EXPECT_EQ(cache.get(folder.path()), std::nullopt);
}

// Two videos in a cache's file, which is then changed.
class DamagedFrameIndexCache : public ::testing::Test {
 protected:
  void SetUp() override {
    write_text(folder_ / "a.mp4", "abc");
    write_text(folder_ / "b.mp4", "abc");
    FrameIndexCache cache(file_);
    cache.put(folder_ / "a.mp4", {75, "first"});
    cache.put(folder_ / "b.mp4", {80, "second"});
    bytes_ = read_text(file_);
    ASSERT_EQ(bytes_.size(), kHeaderBytes + 2 * kRecordBytes + 5 + 6);
  }

  // What becomes of the two with `bytes` in the file: "75 80", "75 -", "- -"; it works on in any case.
  std::string outcome(std::string_view bytes, std::string& log_text) {
    write_text(file_, bytes);
    const LogCapture log;
    std::string known;
    {
      FrameIndexCache cache(file_);
      for (const char* video : {"a.mp4", "b.mp4"}) {
        const auto index = cache.get(folder_ / video);
        known += (known.empty() ? "" : " ") + (index ? std::to_string(index->frame_count) : "-");
      }
      cache.put(folder_ / "b.mp4", 90);
      EXPECT_EQ(cache.get(folder_ / "b.mp4"), FrameIndex(90));
    }
    EXPECT_EQ(FrameIndexCache(file_).get(folder_ / "b.mp4"), FrameIndex(90));
    log_text = log.text();
    return known;
  }

  static std::size_t warnings(const std::string& log) {
    std::size_t count = 0;
    for (std::size_t at = log.find("[warning]"); at != std::string::npos; at = log.find("[warning]", at + 1))
      ++count;
    return count;
  }

  const TemporaryFolder folder_;
  const std::filesystem::path file_ = folder_ / "index";
  std::string bytes_, log_;
};

TEST_F(DamagedFrameIndexCache, ATornTailIsCutOffWithOneWarning) {
  const std::size_t second = kHeaderBytes + kRecordBytes + 5;
  for (std::size_t size = second + 1; size < bytes_.size(); size += 7) {
    EXPECT_EQ(outcome(std::string_view(bytes_).substr(0, size), log_), "75 -") << size;
    EXPECT_EQ(warnings(log_), 1u) << log_;
    EXPECT_THAT(log_, HasSubstr("index: damaged behind byte 117"));
  }
  EXPECT_EQ(outcome(bytes_ + "x", log_), "75 80");
  EXPECT_EQ(outcome(bytes_ + std::string(100, '\0'), log_), "75 80");
  EXPECT_EQ(warnings(log_), 1u) << log_;
}

TEST_F(DamagedFrameIndexCache, EveryChangedByteIsNoticed) {
  for (std::size_t i = kHeaderBytes; i < bytes_.size(); ++i) {
    std::string changed = bytes_;
    changed[i] = static_cast<char>(changed[i] ^ 0x10);
    const bool is_second = i >= kHeaderBytes + kRecordBytes + 5;
    const bool is_in_details = (i - kHeaderBytes) % (kRecordBytes + 5) >= kRecordBytes && !is_second;
    EXPECT_EQ(outcome(changed, log_), is_second ? "75 -" : is_in_details ? "- 80" : "- -") << i;
  }
}

TEST_F(DamagedFrameIndexCache, OtherVersionsAndOtherFilesAreBuiltAnew) {
  std::string version = bytes_;
  version.replace(version.find(" 1 "), 3, " 9 ");
  for (const std::string& bytes :
       {version, std::string("{\"version\":1}"), std::string(1, '\0'), bytes_.substr(0, kHeaderBytes - 1)}) {
    EXPECT_EQ(outcome(bytes, log_), "- -");
    EXPECT_EQ(warnings(log_), 1u) << log_;
    EXPECT_THAT(log_, HasSubstr("built anew"));
  }
  EXPECT_EQ(outcome("", log_), "- -");
  EXPECT_EQ(warnings(log_), 0u) << log_;
}

TEST(FrameIndexCache, WorksInMemoryWhereItCannotWriteAndSaysSoOnce) {
  const TemporaryFolder folder;
  write_text(folder / "a.mp4", "abc");
  const LogCapture log;
  FrameIndexCache cache(folder / "none" / "index");
  cache.put(folder / "a.mp4", 75);
  cache.put(folder / "a.mp4", 76);
  EXPECT_EQ(cache.get(folder / "a.mp4"), FrameIndex(76));
  EXPECT_FALSE(std::filesystem::exists(folder / "none"));
  const std::string text = log.text();
  EXPECT_THAT(text, HasSubstr("kept in memory only"));
  EXPECT_EQ(text.find("in memory"), text.rfind("in memory"));
}

TEST(FrameIndexCache, ProcessesThatShareAFileKeepEachOthersIndices) {
  const TemporaryFolder folder;
  write_text(folder / "a.mp4", "abc");
  write_text(folder / "b.mp4", "abc");
  {
    FrameIndexCache first(folder / "index"), second(folder / "index");
    first.put(folder / "a.mp4", 1);
    second.put(folder / "b.mp4", 2);
    first.put(folder / "a.mp4", {3, "x"});
    EXPECT_EQ(first.get(folder / "a.mp4"), FrameIndex(3, "x"));
    EXPECT_EQ(second.get(folder / "b.mp4"), FrameIndex(2));
  }
  const FrameIndexCache third(folder / "index");
  EXPECT_EQ(third.get(folder / "a.mp4"), FrameIndex(3, "x"));
  EXPECT_EQ(third.get(folder / "b.mp4"), FrameIndex(2));
}

TEST(FrameIndexCache, ThreadsAndCachesMayShareItsFile) {
  const TemporaryFolder folder;
  std::vector<std::thread> threads;
  FrameIndexCache shared(folder / "index");
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      FrameIndexCache own(folder / "index");
      FrameIndexCache& cache = t < 2 ? shared : own;
      for (int i = 0; i < 50; ++i) {
        const auto video = folder / (std::to_string(t) + "_" + std::to_string(i));
        write_text(video, "x");
        const FrameIndex index(i + 1, std::string(static_cast<std::size_t>(i), 'd'));
        cache.put(video, index);
        EXPECT_EQ(cache.get(video), index);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  const FrameIndexCache later(folder / "index");
  for (int t = 0; t < 4; ++t)
    EXPECT_EQ(later.get(folder / (std::to_string(t) + "_49")), FrameIndex(50, std::string(49, 'd')));
}

TEST(FrameIndexCache, LiesBesideTheList) {
  EXPECT_EQ(frame_index_file("/data/train.txt"), "/data/train.txt.frame_index");
}

}  // namespace
}  // namespace actionclip
