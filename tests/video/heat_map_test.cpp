#include "actionclip/video/heat_map.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace actionclip {
namespace {

Image grey(std::int64_t width, std::int64_t height) {
  return {width, height, std::vector<std::uint8_t>(static_cast<std::size_t>(3 * width * height), 100)};
}

int light_at(const Image& image, std::int64_t x, std::int64_t y) {
  const auto* pixel = &image.rgb[static_cast<std::size_t>(3 * (y * image.width + x))];
  return pixel[0] + pixel[1] + pixel[2];
}

TEST(HeatMap, HotPlacesGlowAndColdOnesAreDimmed) {
  HeatMap map{4, 4, std::vector<float>(16, 0)};
  map.values[7] = 1;  // the right end of the second row
  const Image frame = grey(64, 32);
  const Image drawn = draw_heat_map(frame, map, {0, 1});
  EXPECT_EQ(drawn.width, 64);
  EXPECT_EQ(drawn.height, 32);
  EXPECT_GT(light_at(drawn, 58, 12), light_at(frame, 58, 12) + 100);
  EXPECT_LT(light_at(drawn, 4, 28), light_at(frame, 4, 28) - 100);
  EXPECT_GT(light_at(drawn, 4, 28), 100) << "still to be seen";
}

TEST(HeatMap, OneRangeServesAVideoAndAPlaceThatStandsOutDoesNotSpoilIt) {
  std::vector<HeatMap> maps(2, HeatMap{10, 10, std::vector<float>(100, 0.2F)});
  maps[0].values[3] = 0.1F;
  maps[1].values[3] = 50;
  maps[1].values[4] = std::numeric_limits<float>::quiet_NaN();
  for (int i = 10; i < 20; ++i) maps[1].values[static_cast<std::size_t>(i)] = 0.3F;
  const auto range = heat_range(maps);
  EXPECT_FLOAT_EQ(range.cold, 0.1F);
  EXPECT_FLOAT_EQ(range.hot, 0.3F);
  EXPECT_NO_THROW(draw_heat_map(grey(20, 20), maps[1], range));
}

TEST(HeatMap, WhereNothingStandsOutAllIsCold) {
  const std::vector<HeatMap> maps = {{2, 2, std::vector<float>(4, 0.5F)}};
  const auto drawn = draw_heat_map(grey(16, 16), maps[0], heat_range(maps));
  const auto first = light_at(drawn, 0, 0);
  EXPECT_LT(first, 300);
  for (std::int64_t i = 1; i < 16; ++i) EXPECT_EQ(light_at(drawn, i, i), first);
  EXPECT_EQ(heat_range({}).hot, 0);
}

}  // namespace
}  // namespace actionclip
