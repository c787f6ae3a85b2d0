#include "actionclip/video/heat_map.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>

#include <opencv2/imgproc.hpp>

namespace actionclip {
namespace {

constexpr double kExceeding = 0.01;  // share of the values that lie above the range
constexpr float kColdLight = 0.55F;  // of a cold place's own light
constexpr float kMostHeat = 0.6F;    // share of the heat's colour at the hottest place

// In [0, 1], one a place.
cv::Mat1f scaled(const HeatMap& map, const HeatRange& range) {
  cv::Mat1f heat(static_cast<int>(map.rows), static_cast<int>(map.columns), 0.F);
  const float width = range.hot - range.cold;
  if (!(width > 0)) return heat;
  std::ranges::transform(map.values, heat.begin(), [&](float value) {
    return std::isfinite(value) ? std::clamp((value - range.cold) / width, 0.F, 1.F) : 0.F;
  });
  return heat;
}

// The colour of each place, RGB in [0, 1].
cv::Mat3f colours_of(const cv::Mat1f& heat) {
  cv::Mat levels, colours;
  heat.convertTo(levels, CV_8U, 255);
  cv::applyColorMap(levels, colours, cv::COLORMAP_INFERNO);
  cv::cvtColor(colours, colours, cv::COLOR_BGR2RGB);
  cv::Mat3f result;
  colours.convertTo(result, CV_32F, 1. / 255);
  return result;
}

}  // namespace

HeatRange heat_range(std::span<const HeatMap> maps) {
  std::vector<float> values;
  for (const auto& map : maps) {
    std::ranges::copy_if(map.values, std::back_inserter(values),
                         [](float value) { return std::isfinite(value); });
  }
  if (values.empty()) return {};
  const auto above = static_cast<std::ptrdiff_t>(kExceeding * static_cast<double>(values.size()));
  const auto hot = values.end() - 1 - above;
  std::ranges::nth_element(values, hot);
  const float hot_value = *hot;
  return {*std::ranges::min_element(values), hot_value};
}

Image draw_heat_map(const Image& frame, const HeatMap& map, const HeatRange& range) {
  Image image = frame;
  cv::Mat pixels(static_cast<int>(image.height), static_cast<int>(image.width), CV_8UC3, image.rgb.data());
  cv::Mat1f heat;
  cv::resize(scaled(map, range), heat, pixels.size(), 0, 0, cv::INTER_CUBIC);
  heat = cv::min(cv::max(heat, 0.F), 1.F);  // the cubic swings over
  cv::Mat3f light;
  pixels.convertTo(light, CV_32F, 1. / 255);
  const cv::Mat3f colours = colours_of(heat);
  for (int y = 0; y < pixels.rows; ++y) {
    for (int x = 0; x < pixels.cols; ++x) {
      const float here = heat(y, x), share = kMostHeat * here;
      const float kept = (1 - share) * (kColdLight + (1 - kColdLight) * here);
      light(y, x) = light(y, x) * kept + colours(y, x) * share;
    }
  }
  light.convertTo(pixels, CV_8U, 255);
  return image;
}

}  // namespace actionclip
