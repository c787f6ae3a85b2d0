// Difference hashes of videos, from luma planes made here.

#include "actionclip/video/video_hash.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace actionclip {
namespace {

struct Picture {
  std::int64_t width, height;
  std::vector<std::uint8_t> pixels;

  LumaPlane plane() const { return {pixels.data(), width, height, width}; }
};

// Waves whose phase moves with `time`, so that every frame of a video differs.
Picture wavy(std::int64_t width, std::int64_t height, double time) {
  Picture picture{width, height, {}};
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < width; ++x) {
      const double u = static_cast<double>(x) / static_cast<double>(width);
      const double v = static_cast<double>(y) / static_cast<double>(height);
      const double wave = std::sin(9 * u + 4 * v + time) * std::cos(5 * v - 3 * u + 2 * time);
      picture.pixels.push_back(static_cast<std::uint8_t>(128 + 100 * wave));
    }
  }
  return picture;
}

VideoHash hash_of(std::int64_t width, std::int64_t height, int frames, double seconds = 3) {
  VideoHasher hasher;
  for (int i = 0; i < frames; ++i) hasher.add(wavy(width, height, seconds * (i + 0.5) / frames).plane());
  return hasher.hash();
}

TEST(VideoHash, StaysNearlyTheSameAtAnotherSizeShapeAndFrameRate) {
  const VideoHash hash = hash_of(320, 240, 64);
  EXPECT_LE(distance(hash, hash_of(160, 120, 64)), 8);
  EXPECT_LE(distance(hash, hash_of(256, 256, 64)), 8);
  EXPECT_LE(distance(hash, hash_of(320, 240, 32)), 31);
  EXPECT_EQ(distance(hash, hash_of(320, 240, 64)), 0);
  EXPECT_GT(distance(hash, hash_of(320, 240, 64, 9)), 100) << "another video";
}

TEST(VideoHash, ATurnedVideoHasTheHashOfTheUprightOne) {
  const Picture upright = wavy(90, 64, 1);
  VideoHasher expected;
  expected.add(upright.plane());
  // Stored so that transposing, then mirroring left to right, restores it.
  Picture stored{64, 90, std::vector<std::uint8_t>(upright.pixels.size())};
  for (std::int64_t y = 0; y < 64; ++y) {
    for (std::int64_t x = 0; x < 90; ++x) {
      stored.pixels[static_cast<std::size_t>((89 - x) * 64 + y)] =
          upright.pixels[static_cast<std::size_t>(y * 90 + x)];
    }
  }
  VideoHasher turned;
  turned.add(stored.plane(), {.transpose = true, .flip_x = true});
  EXPECT_EQ(distance(turned.hash(), expected.hash()), 0);
}

TEST(VideoHash, ABlankVideoIsSaidToBe) {
  const Picture black{32, 32, std::vector<std::uint8_t>(32 * 32, 16)};
  VideoHasher hasher;
  hasher.add(black.plane());
  EXPECT_TRUE(hasher.hash().is_blank());
  EXPECT_FALSE(hash_of(64, 48, 8).is_blank());
}

TEST(VideoHash, FramesOfFewerPixelsThanCellsAreHashed) {
  VideoHasher hasher;
  const Picture one{1, 1, {77}};
  hasher.add(one.plane());
  EXPECT_EQ(hasher.frame_count(), 1);
  EXPECT_EQ(hasher.hash(), VideoHash());
  EXPECT_THROW(VideoHasher().hash(), std::logic_error);
}

TEST(VideoHash, AVeryLongVideoIsSampledWhereAShortOneWouldBe) {
  // Ten thousand frames that show eight pictures, one after the other.
  VideoHasher longer, shorter;
  for (int part = 0; part < 8; ++part) {
    const Picture picture = wavy(36, 32, part);
    for (int i = 0; i < 1250; ++i) longer.add(picture.plane());
    shorter.add(picture.plane());
  }
  EXPECT_EQ(longer.frame_count(), 10000);
  EXPECT_EQ(longer.hash(), shorter.hash());
}

TEST(VideoHash, IsReadBackFromItsDigits) {
  const VideoHash hash = hash_of(64, 48, 8);
  EXPECT_EQ(to_hex(hash).size(), 128u);
  EXPECT_EQ(parse_hash(to_hex(hash)), hash);
  EXPECT_EQ(parse_hash(""), std::nullopt);
  EXPECT_EQ(parse_hash(to_hex(hash) + "0"), std::nullopt);
  EXPECT_EQ(parse_hash(std::string(128, 'g')), std::nullopt);
}

}  // namespace
}  // namespace actionclip
