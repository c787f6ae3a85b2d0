#include "video/resample_weights.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace actionclip {
namespace {

// Half the filter's width at full size.
double radius(Interpolation interpolation) { return interpolation == Interpolation::bicubic ? 2 : 1; }

// Keys' cubic convolution with a = -0.5, or the triangle, at a distance of `x` pixels.
double filter(double x, Interpolation interpolation) {
  constexpr double kA = -0.5;
  x = std::abs(x);
  if (interpolation == Interpolation::bilinear) return std::max(0.0, 1 - x);
  if (x < 1) return ((kA + 2) * x - (kA + 3)) * x * x + 1;
  if (x < 2) return ((kA * x - 5 * kA) * x + 8 * kA) * x - 4 * kA;
  return 0;
}

struct Taps {
  std::int64_t first;
  std::vector<double> weights;  // whole numbers
};

Taps taps_of(std::int64_t pixel, std::int64_t from, double scale, Interpolation interpolation) {
  const double reduction = std::max(scale, 1.0);
  const double reach = radius(interpolation) * reduction;
  const double centre = (static_cast<double>(pixel) + 0.5) * scale;
  const auto first = std::max<std::int64_t>(0, static_cast<std::int64_t>(std::floor(centre - reach + 0.5)));
  const auto end = std::min(from, static_cast<std::int64_t>(std::floor(centre + reach + 0.5)));
  Taps taps{.first = first, .weights = {}};
  for (std::int64_t i = first; i < end; ++i) {
    taps.weights.push_back(filter((static_cast<double>(i) - centre + 0.5) / reduction, interpolation));
  }
  const double sum = std::accumulate(taps.weights.begin(), taps.weights.end(), 0.0);
  constexpr double kOne = 1 << kWeightBits;
  for (double& weight : taps.weights) weight = std::round(weight / sum * kOne);
  return taps;
}

}  // namespace

ResampleWeights resample_weights(std::int64_t from, std::int64_t to, Interpolation interpolation,
                                 std::int64_t begin, std::int64_t count, bool mirror) {
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  std::vector<Taps> pixels;
  std::size_t most = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    pixels.push_back(taps_of(mirror ? begin + count - 1 - i : begin + i, from, scale, interpolation));
    most = std::max(most, pixels.back().weights.size());
  }
  ResampleWeights result;
  result.taps = static_cast<std::int64_t>(most);
  result.weights.assign(static_cast<std::size_t>(count * result.taps), 0);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto& taps = pixels[static_cast<std::size_t>(i)];
    result.first.push_back(taps.first);
    std::ranges::transform(taps.weights, result.weights.begin() + i * result.taps,
                           [](double weight) { return static_cast<std::int32_t>(weight); });
  }
  return result;
}

}  // namespace actionclip
