// Percentile bootstrap over videos (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter
// 13): how far a figure would move if the test videos were others of the same kind. The draws are a function
// of the number of videos alone: they are the same on every rank and machine, and for two sets of scores of
// the same videos, whose difference is thus a paired one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace actionclip {

inline constexpr std::size_t kBootstrapDraws = 1000;
inline constexpr std::size_t kDrawsAtOnce = 64;  // they share each pass over the videos

// [N, kDrawsAtOnce]: how often each of N videos is in each draw of N with replacement.
using DrawCounts = std::span<const std::uint8_t>;

// A figure of each of these draws.
using DrawnValues = std::array<double, kDrawsAtOnce>;

// The figures [F] of so many draws at once.
using DrawnFigures = std::function<std::vector<DrawnValues>(DrawCounts counts)>;

// [F, kBootstrapDraws]: each figure in every draw of `videos` of them. `videos` must not be 0.
std::vector<std::vector<double>> bootstrap(std::size_t videos, const DrawnFigures& figures);

struct Interval {
  double low = 0;
  double high = 0;
};

// The 2.5th and the 97.5th percentile, interpolated between values as numpy.percentile does. `values` must
// not be empty.
Interval interval_of(std::vector<double> values);

}  // namespace actionclip
