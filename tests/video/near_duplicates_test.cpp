// Pairs of hashes that are near each other, against comparing all.

#include "actionclip/video/near_duplicates.h"

#include <algorithm>
#include <stdexcept>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "actionclip/core/random.h"

namespace actionclip {
namespace {

RandomStream stream(std::uint64_t seed) { return {seed, RandomPurpose::kSynthetic, 0, 0}; }

VideoHash random_hash(RandomStream& random) {
  VideoHash hash;
  for (auto& bits : hash.frames) {
    for (int bit = 0; bit < 64; ++bit) bits = bits << 1 | static_cast<std::uint64_t>(random.below(2));
  }
  return hash;
}

VideoHash changed(VideoHash hash, int bits, RandomStream& random) {
  for (int i = 0; i < bits; ++i) {
    const auto bit = static_cast<std::size_t>(random.below(kHashBits));
    hash.frames[bit / 64] ^= std::uint64_t{1} << (bit % 64);
  }
  return hash;
}

std::vector<VideoHash> random_hashes(int count, RandomStream& random) {
  std::vector<VideoHash> hashes;
  for (int i = 0; i < count; ++i) hashes.push_back(random_hash(random));
  return hashes;
}

using Pairs = std::vector<std::tuple<std::int64_t, int, std::int64_t>>;

Pairs as_tuples(const std::vector<NearPair>& pairs) {
  Pairs tuples;
  for (const auto& pair : pairs) tuples.emplace_back(pair.right, pair.distance, pair.left);
  return tuples;
}

Pairs by_comparing_all(const std::vector<VideoHash>& left, const std::vector<VideoHash>& right, int radius) {
  Pairs pairs;
  for (std::size_t r = 0; r < right.size(); ++r) {
    for (std::size_t l = 0; l < left.size(); ++l) {
      const int bits = distance(left[l], right[r]);
      if (bits <= radius) pairs.emplace_back(r, bits, l);
    }
  }
  std::ranges::sort(pairs);
  return pairs;
}

TEST(NearDuplicates, AreThoseThatComparingAllFindsAtEveryRadius) {
  auto random = stream(1);
  auto left = random_hashes(800, random);
  std::vector<VideoHash> right;
  for (int i = 0; i < 200; ++i) {
    right.push_back(changed(left[static_cast<std::size_t>(random.below(800))], i / 2, random));
  }
  left.push_back(left[3]);  // twice the same
  for (const int radius : {0, 1, 31, 32, 63, 70}) {
    EXPECT_EQ(as_tuples(find_near_pairs(left, right, radius, 1000)), by_comparing_all(left, right, radius))
        << radius;
  }
  EXPECT_THROW(find_near_pairs(left, right, -1, 5), std::invalid_argument);
  EXPECT_THROW(find_near_pairs(left, right, 128, 5), std::invalid_argument);
}

TEST(NearDuplicates, OfACrowdOfCopiesTheNearestFewAreKept) {
  auto random = stream(2);
  const VideoHash original = random_hash(random);
  std::vector<VideoHash> crowd;
  for (int i = 0; i < 3000; ++i) crowd.push_back(changed(original, i % 20, random));
  const auto pairs = find_near_pairs(crowd, std::vector<VideoHash>(300, original), 31, 5);
  ASSERT_EQ(pairs.size(), 1500u);
  for (const auto& pair : pairs) EXPECT_EQ(pair.distance, 0);
}

TEST(NearDuplicates, BlankVideosHaveNone) {
  const std::vector<VideoHash> blank(10);
  EXPECT_TRUE(find_near_pairs(blank, blank, 31, 5).empty());
  EXPECT_TRUE(find_near_pairs({}, {}, 31, 5).empty());
}

// As many as Kinetics has; comparing all would take a minute.
TEST(NearDuplicates, AreFoundAmongTwoHundredThousandInSeconds) {
  auto random = stream(3);
  std::vector<VideoHash> left(240000);
  for (auto& hash : left) {
    // Frames of a video are alike, and so are neighbouring cells.
    std::uint64_t frame = 0;
    for (int byte = 0; byte < 8; ++byte) {
      const std::uint64_t shape = random.chance(0.5) ? 0x0f : 0xf0;
      frame = frame << 8 | (shape ^ static_cast<std::uint64_t>(random.below(64)));
    }
    for (auto& bits : hash.frames) bits = frame ^ (std::uint64_t{1} << random.below(64));
  }
  std::vector<VideoHash> right;
  for (std::size_t i = 0; i < 20000; ++i) right.push_back(changed(left[12 * i], 10, random));
  const auto pairs = find_near_pairs(left, right, 31, 1);
  ASSERT_EQ(pairs.size(), right.size());
  for (const auto& pair : pairs) EXPECT_EQ(pair.left, 12 * pair.right);
}

}  // namespace
}  // namespace actionclip
