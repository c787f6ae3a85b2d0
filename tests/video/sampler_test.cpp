#include "actionclip/video/sampler.h"

#include <algorithm>
#include <limits>
#include <map>
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
  return sample_training_frames(n, T, {}, random);
}

std::vector<std::int64_t> train_dense(std::int64_t n, std::int64_t T, std::int64_t stride,
                                      std::uint64_t index) {
  RandomStream random(5, RandomPurpose::kFrames, 0, index);
  return sample_training_frames(n, T, {.strategy = FrameSampling::dense, .stride = stride}, random);
}

FrameSampling strategy_of(const std::string& name) {
  if (name == "dense") return FrameSampling::dense;
  return name == "uniform" ? FrameSampling::uniform : FrameSampling::segment;
}

TEST(Sampler, TestFramesAgreeWithTheReferenceForEveryLength) {
  std::istringstream reference(run_python("sampler_reference.py", {"200", "1,8,32", "1,2,3,10", "7"}));
  std::string line;
  int lines = 0;
  while (std::getline(reference, line)) {
    ++lines;
    std::istringstream words(line);
    std::string name;
    std::int64_t n = 0, T = 0, V = 0, j = 0;
    words >> name >> n >> T >> V >> j;
    const SamplingConfig sampling{.strategy = strategy_of(name), .stride = 7};
    const auto frames = sample_test_frames(n, T, j, V, sampling);
    ASSERT_EQ(fmt::format("{} {} {} {} {}: {}", name, n, T, V, j, fmt::join(frames, " ")), line);
  }
  EXPECT_EQ(lines, 3 * 200 * 3 * (1 + 2 + 3 + 10));
}

TEST(Sampler, IndicesNeverDecreaseAndLieInTheVideo) {
  for (const auto strategy : {FrameSampling::segment, FrameSampling::dense, FrameSampling::uniform}) {
    const SamplingConfig sampling{.strategy = strategy, .stride = 5};
    for (const std::int64_t n : {1, 2, 7, 35, 36, 37, 300}) {
      for (const std::int64_t T : {1, 8}) {
        std::vector<std::vector<std::int64_t>> clips;
        for (std::int64_t j = 0; j < 4; ++j) clips.push_back(sample_test_frames(n, T, j, 4, sampling));
        for (std::uint64_t index = 0; index < 30; ++index) {
          RandomStream random(5, RandomPurpose::kFrames, 0, index);
          clips.push_back(sample_training_frames(n, T, sampling, random));
        }
        for (const auto& frames : clips) {
          ASSERT_EQ(static_cast<std::int64_t>(frames.size()), T);
          EXPECT_TRUE(std::is_sorted(frames.begin(), frames.end())) << n;
          EXPECT_GE(frames.front(), 0);
          EXPECT_LT(frames.back(), n);
        }
      }
    }
  }
}

TEST(Sampler, DenseClipsAreAStrideApartAndSpreadOverTheVideo) {
  const SamplingConfig dense{.strategy = FrameSampling::dense, .stride = 4};
  EXPECT_THAT(sample_test_frames(100, 4, 0, 1, dense), ElementsAre(43, 47, 51, 55));
  EXPECT_THAT(sample_test_frames(100, 4, 0, 3, dense), ElementsAre(0, 4, 8, 12));
  EXPECT_THAT(sample_test_frames(100, 4, 1, 3, dense), ElementsAre(44, 48, 52, 56)) << "43.5 to even";
  EXPECT_THAT(sample_test_frames(100, 4, 2, 3, dense), ElementsAre(87, 91, 95, 99));
  EXPECT_THAT(sample_test_frames(13, 4, 0, 1, dense), ElementsAre(0, 4, 8, 12));
  EXPECT_THAT(sample_test_frames(7, 4, 1, 3, dense), ElementsAre(0, 4, 6, 6)) << "the last frame again";
}

TEST(Sampler, ADenseTrainingClipStartsAnywhereItFits) {
  std::map<std::int64_t, int> starts;
  constexpr int kDraws = 3000;
  for (std::uint64_t index = 0; index < kDraws; ++index) {
    const auto frames = train_dense(40, 8, 4, index);
    for (std::int64_t i = 0; i < 8; ++i) ASSERT_EQ(frames[i], frames[0] + 4 * i);
    ++starts[frames[0]];
  }
  ASSERT_EQ(starts.size(), 12u);  // 0 .. 40 - 29
  EXPECT_EQ(starts.begin()->first, 0);
  EXPECT_EQ(starts.rbegin()->first, 11);
  for (const auto& [start, count] : starts) EXPECT_NEAR(count, kDraws / 12, 80) << start;
}

TEST(Sampler, EveryFrameOfAVideoThatIsLongEnoughIsReachedInTraining) {
  for (const std::int64_t n : {29, 30, 41, 64}) {
    std::set<std::int64_t> segment, dense;
    for (std::uint64_t index = 0; index < 1500; ++index) {
      const auto drawn = train(n, 8, index);
      segment.insert(drawn.begin(), drawn.end());
      const auto clip = train_dense(n, 8, 4, index);
      dense.insert(clip.begin(), clip.end());
    }
    EXPECT_EQ(static_cast<std::int64_t>(segment.size()), n);
    // A start and those 4, 8 ... behind it; where fewer than 4 starts are possible, not all residues.
    EXPECT_EQ(static_cast<std::int64_t>(dense.size()), n >= 32 ? n : 8 * (n - 28));
  }
}

TEST(Sampler, UniformFramesReachFromTheFirstToTheLast) {
  const SamplingConfig uniform{.strategy = FrameSampling::uniform};
  EXPECT_THAT(sample_test_frames(100, 4, 0, 1, uniform), ElementsAre(0, 33, 66, 99));
  EXPECT_THAT(sample_test_frames(10, 1, 0, 1, uniform), ElementsAre(5));
  EXPECT_THAT(sample_test_frames(3, 5, 0, 1, uniform), ElementsAre(0, 0, 1, 1, 2));
  EXPECT_THAT(sample_test_frames(8, 4, 0, 2, uniform), ElementsAre(0, 2, 4, 6));
  EXPECT_THAT(sample_test_frames(8, 4, 1, 2, uniform), ElementsAre(1, 3, 5, 7));
  RandomStream random(5, RandomPurpose::kFrames);
  EXPECT_EQ(sample_training_frames(100, 4, uniform, random), sample_test_frames(100, 4, 0, 1, uniform));
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
  const SamplingConfig dense{.strategy = FrameSampling::dense, .stride = 1 << 16};
  EXPECT_EQ(sample_test_frames(kMaxFrameCount, 4096, 999, 1000, dense).back(), kMaxFrameCount - 1);
  const SamplingConfig uniform{.strategy = FrameSampling::uniform};
  EXPECT_EQ(sample_test_frames(kMaxFrameCount, 4096, 999, 1000, uniform).back(), kMaxFrameCount - 1);
  const auto drawn = train(kMaxFrameCount, 4096, 0);
  for (std::int64_t i = 0; i < 4096; ++i) ASSERT_EQ(drawn[i] / kSegment, i);
}

TEST(Sampler, AnAbsurdFrameCountIsAnError) {
  RandomStream random(5, RandomPurpose::kFrames);
  for (const std::int64_t n : {kMaxFrameCount + 1, std::numeric_limits<std::int64_t>::max()}) {
    EXPECT_THROW(sample_training_frames(n, 8, {}, random), Error);
    EXPECT_THROW(sample_test_frames(n, 8), Error);
    EXPECT_THROW(sample_test_frames(n, 1), Error);
    EXPECT_THROW(sample_test_frames(n, 8, 9, 10), Error);
  }
}

TEST(Sampler, AVideoWithoutFramesIsAnError) {
  RandomStream random(5, RandomPurpose::kFrames);
  EXPECT_THROW(sample_training_frames(0, 8, {}, random), Error);
  EXPECT_THROW(sample_test_frames(0, 8), Error);
  EXPECT_THROW(sample_test_frames(-1, 1), Error);
  EXPECT_THROW(sample_test_frames(10, 0), Error);
  EXPECT_THROW(sample_test_frames(10, 8, 3, 3), Error);
  EXPECT_THROW(sample_test_frames(10, 8, -1, 3), Error);
}

}  // namespace
}  // namespace actionclip
