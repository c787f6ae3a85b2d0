#include "actionclip/video/sampler.h"

#include <algorithm>
#include <limits>
#include <set>
#include <sstream>
#include <string>

#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"

#include "tests/parity/run_python.h"

namespace actionclip {
namespace {

using ::testing::ElementsAre;

std::vector<std::int64_t> train(std::int64_t n, std::int64_t T, std::uint64_t index) {
  RandomStream random(5, RandomPurpose::kFrames, 0, index);
  return sample_training_frames(n, T, random);
}

TEST(Sampler, TestFramesAgreeWithTheReferenceForEveryLength) {
  std::istringstream reference(run_python("sampler_reference.py", {"300", "1,4,8,16,32", "1,2,3,10"}));
  std::string line;
  int lines = 0;
  while (std::getline(reference, line)) {
    ++lines;
    std::istringstream words(line);
    std::int64_t n = 0, T = 0, V = 0, j = 0;
    words >> n >> T >> V >> j;
    const auto frames = sample_test_frames(n, T, j, V);
    ASSERT_EQ(fmt::format("{} {} {} {}: {}", n, T, V, j, fmt::join(frames, " ")), line);
    if (V == 1) {
      ASSERT_EQ(sample_test_frames(n, T), frames);
    }
  }
  EXPECT_EQ(lines, 300 * 5 * (1 + 2 + 3 + 10));
}

TEST(Sampler, TestFramesAreTheMiddlesOfTheSegments) {
  EXPECT_THAT(sample_test_frames(80, 8), ElementsAre(4, 14, 24, 34, 44, 54, 64, 74));
  EXPECT_THAT(sample_test_frames(7, 1), ElementsAre(3));
  EXPECT_THAT(sample_test_frames(10, 1), ElementsAre(5));
  EXPECT_THAT(sample_test_frames(3, 8), ElementsAre(0, 0, 0, 1, 1, 1, 2, 2));
}

TEST(Sampler, TestClipsLieInTheirSegmentsInOrder) {
  for (std::int64_t n : {9, 33, 100, 299}) {
    for (std::int64_t i = 0; i < 8; ++i) {
      for (std::int64_t j = 1; j < 10; ++j) {
        EXPECT_GE(sample_test_frames(n, 8, j, 10)[i], sample_test_frames(n, 8, j - 1, 10)[i]);
      }
      EXPECT_GE(sample_test_frames(n, 8, 0, 10)[i], i * n / 8);
      EXPECT_LT(sample_test_frames(n, 8, 9, 10)[i], (i + 1) * n / 8 + 1);
    }
  }
}

TEST(Sampler, TrainingDrawsEveryFrameOfItsSegmentAndNoOther) {
  for (const auto& [n, T] :
       std::vector<std::pair<std::int64_t, std::int64_t>>{{9, 8}, {37, 8}, {64, 4}, {5, 1}}) {
    std::vector<std::set<std::int64_t>> seen(T);
    for (std::uint64_t index = 0; index < 500; ++index) {
      const auto frames = train(n, T, index);
      ASSERT_EQ(static_cast<std::int64_t>(frames.size()), T);
      for (std::int64_t i = 0; i < T; ++i) seen[i].insert(frames[i]);
    }
    for (std::int64_t i = 0; i < T; ++i) {
      std::set<std::int64_t> segment;
      for (std::int64_t frame = i * n / T; frame < (i + 1) * n / T; ++frame) segment.insert(frame);
      EXPECT_EQ(seen[i], segment) << "segment " << i << " of " << n << " frames";
    }
  }
}

TEST(Sampler, TrainingOnAShortVideoKeepsEveryFrameAndRepeatsSome) {
  for (std::int64_t n = 1; n <= 8; ++n) {
    std::set<std::vector<std::int64_t>> variants;
    for (std::uint64_t index = 0; index < 50; ++index) {
      const auto frames = train(n, 8, index);
      ASSERT_EQ(frames.size(), 8u);
      EXPECT_TRUE(std::is_sorted(frames.begin(), frames.end()));
      EXPECT_EQ(static_cast<std::int64_t>(std::set(frames.begin(), frames.end()).size()), n);
      EXPECT_EQ(frames.front(), 0);
      EXPECT_EQ(frames.back(), n - 1);
      variants.insert(frames);
    }
    if (n > 1 && n < 8) {
      EXPECT_GT(variants.size(), 1u) << "the repeats are random";
    }
  }
}

TEST(Sampler, TrainingIsAFunctionOfTheStreamsKey) {
  EXPECT_EQ(train(100, 8, 3), train(100, 8, 3));
  EXPECT_NE(train(100, 8, 3), train(100, 8, 4));
}

TEST(Sampler, TheLongestVideoIsSampledWithoutOverflow) {
  constexpr std::int64_t kSegment = kMaxFrameCount / 4096;
  const auto frames = sample_test_frames(kMaxFrameCount, 4096, 999, 1000);
  for (std::int64_t i = 0; i < 4096; ++i) {
    ASSERT_GE(frames[i], i * kSegment);
    ASSERT_LT(frames[i], (i + 1) * kSegment);
  }
  const auto drawn = train(kMaxFrameCount, 4096, 0);
  for (std::int64_t i = 0; i < 4096; ++i) ASSERT_EQ(drawn[i] / kSegment, i);
}

TEST(Sampler, AnAbsurdFrameCountIsAnError) {
  RandomStream random(5, RandomPurpose::kFrames);
  for (const std::int64_t n : {kMaxFrameCount + 1, std::numeric_limits<std::int64_t>::max()}) {
    EXPECT_THROW(sample_training_frames(n, 8, random), Error);
    EXPECT_THROW(sample_test_frames(n, 8), Error);
    EXPECT_THROW(sample_test_frames(n, 1), Error);
    EXPECT_THROW(sample_test_frames(n, 8, 9, 10), Error);
  }
}

TEST(Sampler, AVideoWithoutFramesIsAnError) {
  RandomStream random(5, RandomPurpose::kFrames);
  EXPECT_THROW(sample_training_frames(0, 8, random), Error);
  EXPECT_THROW(sample_test_frames(0, 8), Error);
  EXPECT_THROW(sample_test_frames(-1, 1), Error);
  EXPECT_THROW(sample_test_frames(10, 0), Error);
  EXPECT_THROW(sample_test_frames(10, 8, 3, 3), Error);
  EXPECT_THROW(sample_test_frames(10, 8, -1, 3), Error);
}

}  // namespace
}  // namespace actionclip
