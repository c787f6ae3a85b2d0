#include "actionclip/video/augmentation.h"

#include <array>
#include <limits>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"

#include "tests/parity/run_python.h"

namespace actionclip {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

constexpr std::array kScales{1.0, 0.875, 0.75, 0.66};

TransformConfig multi_scale(double flip = 0.5) {
  TransformConfig config;
  config.input_size = 224;
  config.flip = flip;
  return config;
}

TransformConfig random_resized() {
  TransformConfig config = multi_scale();
  config.crop = CropKind::random_resized;
  return config;
}

RandomStream stream_of(std::uint64_t index) { return {9, RandomPurpose::kAugmentation, 0, index}; }

CropChoice choose(std::int64_t width, std::int64_t height, std::uint64_t index, double flip = 0.5) {
  auto random = stream_of(index);
  return choose_crop(width, height, multi_scale(flip), random);
}

TEST(MultiScaleCrop, SizesPairNeighbouringScalesOfTheShortSide) {
  // int(256 * scale) = 256, 224, 192, 168
  EXPECT_THAT(
      multi_scale_crop_sizes(340, 256, 224, kScales),
      UnorderedElementsAre(Size{256, 256}, Size{256, 224}, Size{224, 256}, Size{224, 224}, Size{224, 192},
                           Size{192, 224}, Size{192, 192}, Size{192, 168}, Size{168, 192}, Size{168, 168}));
  EXPECT_EQ(multi_scale_crop_sizes(256, 340, 224, kScales), multi_scale_crop_sizes(340, 256, 224, kScales));
}

TEST(MultiScaleCrop, ASideCloseToTheInputSizeBecomesIt) {
  constexpr std::array one{1.0};
  EXPECT_THAT(multi_scale_crop_sizes(400, 226, 224, one), ElementsAre(Size{224, 224}));
  EXPECT_THAT(multi_scale_crop_sizes(400, 227, 224, one), ElementsAre(Size{227, 227}));
  EXPECT_THAT(multi_scale_crop_sizes(400, 223, 224, one), ElementsAre(Size{223, 223}))
      << "not past the frame";
  constexpr std::array below{1.0, 222.5 / 256};
  EXPECT_THAT(multi_scale_crop_sizes(400, 256, 224, below),
              UnorderedElementsAre(Size{256, 256}, Size{256, 224}, Size{224, 256}, Size{224, 224}));
}

TEST(MultiScaleCrop, EverySizeAndEachOfTheThirteenPlacesIsDrawn) {
  std::map<std::pair<std::int64_t, std::int64_t>, std::set<std::pair<std::int64_t, std::int64_t>>> places;
  for (std::uint64_t index = 0; index < 4000; ++index) {
    const auto choice = choose(341, 256, index);
    ASSERT_GE(choice.x, 0);
    ASSERT_GE(choice.y, 0);
    ASSERT_LE(choice.x + choice.width, 341);
    ASSERT_LE(choice.y + choice.height, 256);
    places[{choice.width, choice.height}].insert({choice.x, choice.y});
  }
  EXPECT_EQ(places.size(), 10u);
  // Quarter steps: (341 - 192) / 4 = 37 and (256 - 168) / 4 = 22.
  using Place = std::pair<std::int64_t, std::int64_t>;
  EXPECT_EQ((places[{192, 168}]), (std::set<Place>{{0, 0},
                                                   {148, 0},
                                                   {0, 88},
                                                   {148, 88},
                                                   {74, 44},
                                                   {0, 44},
                                                   {148, 44},
                                                   {74, 0},
                                                   {74, 88},
                                                   {37, 22},
                                                   {111, 22},
                                                   {37, 66},
                                                   {111, 66}}));
}

TEST(MultiScaleCrop, FlipsAtTheGivenRateAndIsAFunctionOfTheKey) {
  int flips = 0;
  for (std::uint64_t index = 0; index < 2000; ++index) {
    flips += choose(340, 256, index).flip ? 1 : 0;
    EXPECT_FALSE(choose(340, 256, index, 0.0).flip);
    EXPECT_TRUE(choose(340, 256, index, 1.0).flip);
  }
  EXPECT_NEAR(flips, 1000, 120);
  EXPECT_EQ(choose(340, 256, 7), choose(340, 256, 7));
}

TEST(MultiScaleCrop, TinyFramesStillGiveACrop) {
  for (std::uint64_t index = 0; index < 50; ++index) {
    const auto choice = choose(1, 3, index);
    EXPECT_EQ(choice.width, 1);
    EXPECT_EQ(choice.height, 1);
  }
}

TEST(MultiScaleCrop, RefusesEmptyFramesAndWrongScales) {
  RandomStream random(1, RandomPurpose::kAugmentation);
  auto without_scales = multi_scale();
  without_scales.scales.clear();
  EXPECT_THROW(choose_crop(30, 20, without_scales, random), Error);
  EXPECT_THROW(choose_crop(30, 0, random_resized(), random), Error);
  EXPECT_THROW(choose(0, 10, 0), Error);
  for (const double wrong : {0.0, -1.0, 1.5, std::numeric_limits<double>::quiet_NaN()}) {
    const std::array scales{wrong};
    EXPECT_THROW(multi_scale_crop_sizes(30, 20, 16, scales), Error) << wrong;
  }
}

// What torchvision makes of the same numbers, drawn from the same stream.
TEST(RandomResizedCrop, AgreesWithTorchvisionDrawForDraw) {
  struct Case {
    std::int64_t width, height;
    std::vector<double> area, aspect;
  };
  // The last ones fit seldom or never, so that the centred crop is reached.
  const std::vector<Case> kinds{{340, 256, {0.08, 1}, {0.75, 4.0 / 3}}, {64, 48, {0.5, 1}, {0.75, 4.0 / 3}},
                                {7, 3, {0.08, 1}, {0.75, 4.0 / 3}},     {400, 50, {0.7, 1}, {0.75, 4.0 / 3}},
                                {50, 400, {0.7, 1}, {0.75, 4.0 / 3}},   {100, 100, {1, 1}, {0.9, 1.1}}};
  constexpr std::uint64_t kDraws = 40;
  constexpr int kUniforms = 20;  // two a try
  std::vector<std::string> arguments;
  for (const auto& [width, height, area, aspect] : kinds) {
    for (std::uint64_t index = 0; index < kDraws; ++index) {
      auto random = stream_of(index);
      std::vector<double> uniforms(kUniforms);
      for (double& value : uniforms) value = random.uniform();
      // A try that fits draws its place behind its own two numbers; the reference only tells how many tries
      // it took.
      arguments.push_back(fmt::format("{}:{}:{}:{}:{}", width, height, fmt::join(area, ","),
                                      fmt::join(aspect, ","), fmt::join(uniforms, ",")));
    }
  }
  std::istringstream reference(run_python("random_resized_reference.py", arguments));
  int centred = 0;
  for (const auto& [width, height, area, aspect] : kinds) {
    auto config = random_resized();
    config.area = area;
    config.aspect = aspect;
    for (std::uint64_t index = 0; index < kDraws; ++index) {
      std::int64_t tries = 0;
      CropChoice expected;
      bool placed = false;
      reference >> tries >> placed >> expected.x >> expected.y >> expected.width >> expected.height;
      auto random = stream_of(index);
      for (std::int64_t i = 0; i < 2 * tries; ++i) random.uniform();
      if (placed) {
        expected.y = random.below(height - expected.height + 1);
        expected.x = random.below(width - expected.width + 1);
      }
      centred += placed ? 0 : 1;
      expected.flip = random.chance(config.flip);
      auto again = stream_of(index);
      ASSERT_EQ(choose_crop(width, height, config, again), expected)
          << width << "x" << height << " draw " << index << ": " << tries << " tries";
    }
  }
  EXPECT_GT(centred, 50);
}

TEST(RandomResizedCrop, LiesInTheFrameAndReachesEveryCorner) {
  std::set<std::pair<bool, bool>> corners;
  int flips = 0;
  for (std::uint64_t index = 0; index < 3000; ++index) {
    auto random = stream_of(index);
    const auto choice = choose_crop(34, 26, random_resized(), random);
    ASSERT_GE(choice.x, 0);
    ASSERT_GE(choice.y, 0);
    ASSERT_GE(choice.width, 1);
    ASSERT_GE(choice.height, 1);
    ASSERT_LE(choice.x + choice.width, 34);
    ASSERT_LE(choice.y + choice.height, 26);
    if (choice.x == 0) corners.insert({true, choice.y == 0});
    if (choice.x + choice.width == 34) corners.insert({false, choice.y == 0});
    flips += choice.flip ? 1 : 0;
  }
  EXPECT_EQ(corners.size(), 4u);
  EXPECT_NEAR(flips, 1500, 150);
  auto config = random_resized();
  config.aspect = {10, 20};
  auto random = stream_of(0);
  EXPECT_EQ(choose_crop(1, 1, config, random).height, 1) << "a crop has a pixel at least";
}

TEST(TestGeometry, TheLongSideIsRoundedDown) {
  EXPECT_EQ(resized_size(340, 256, 256), (Size{340, 256}));
  EXPECT_EQ(resized_size(426, 240, 256), (Size{454, 256}));  // 454.4
  EXPECT_EQ(resized_size(240, 426, 256), (Size{256, 454}));
  EXPECT_EQ(resized_size(64, 64, 256), (Size{256, 256}));
  EXPECT_THROW(resized_size(0, 64, 256), Error);
  EXPECT_THROW(resized_size(64, 64, 0), Error);
}

TEST(TestGeometry, TheCentreCropRoundsHalvesToEven) {
  const auto x = [](std::int64_t width) { return test_crops(width, 224, 224, 1)[0].x; };
  EXPECT_EQ(x(224), 0);
  EXPECT_EQ(x(225), 0);  // 0.5
  EXPECT_EQ(x(226), 1);
  EXPECT_EQ(x(227), 2);  // 1.5
  EXPECT_EQ(x(229), 2);  // 2.5
  EXPECT_EQ(x(231), 4);  // 3.5
}

TEST(TestGeometry, ThreeCropsAreTheEndsAndTheCentreOfTheLongSide) {
  EXPECT_THAT(test_crops(340, 256, 224, 3),
              ElementsAre(CropChoice{0, 16, 224, 224, false}, CropChoice{58, 16, 224, 224, false},
                          CropChoice{116, 16, 224, 224, false}));
  EXPECT_THAT(test_crops(256, 340, 224, 3),
              ElementsAre(CropChoice{16, 0, 224, 224, false}, CropChoice{16, 58, 224, 224, false},
                          CropChoice{16, 116, 224, 224, false}));
}

TEST(TestGeometry, FiveCropsAreTheCornersAndTheCentreAndTenTheirMirrorImagesToo) {
  const std::vector<CropChoice> five{{0, 0, 224, 224, false},
                                     {117, 0, 224, 224, false},
                                     {0, 32, 224, 224, false},
                                     {117, 32, 224, 224, false},
                                     {58, 16, 224, 224, false}};
  EXPECT_EQ(test_crops(341, 256, 224, 5), five);
  // In the mirrored frame: what lies at its left was at the right, and its centre, half a pixel off, at 59.
  auto ten = five;
  for (const std::int64_t x : {117, 0, 117, 0, 59}) {
    ten.push_back({x, ten[ten.size() - 5].y, 224, 224, true});
  }
  EXPECT_EQ(test_crops(341, 256, 224, 10), ten);
}

TEST(TestGeometry, RefusesACropThatDoesNotFit) {
  EXPECT_THROW(test_crops(223, 256, 224, 1), Error);
  EXPECT_THROW(test_crops(256, 256, 0, 1), Error);
  for (const std::int64_t crops : {0, 2, 4, 6, 11}) {
    EXPECT_FALSE(is_crop_count(crops));
    EXPECT_THROW(test_crops(256, 256, 224, crops), Error);
  }
}

}  // namespace
}  // namespace actionclip
