// Line charts as SVG.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "actionclip/protocols/run_record.h"

namespace actionclip::detail {

// Neighbouring points of a curve as one.
struct CurvePoint {
  double x = 0;  // mean of their steps
  double low = 0, mean = 0, high = 0;
  std::string place;  // x in words, where it is no number for people: "2 clips a class"
};

// At most `most` points, each of equally many steps. A curve of fewer is as it was.
std::vector<CurvePoint> reduce(const Curve& curve, std::size_t most);

struct ChartLine {
  std::string name;
  std::vector<CurvePoint> points;  // in order of x
  bool dots = false;               // few points, each a measurement of its own
  bool whiskers = false;           // low and high are an interval, drawn at each point; else a band
};

struct ChartText {
  std::string title;
  std::string unit;  // of the values: "%"; may be empty
  std::string x_name = "step";
};

// Points at ends of intervals count for the range of the axis. `x_ticks`: where the axis is marked (none:
// round numbers).
std::string line_chart(const ChartText& text, const std::vector<ChartLine>& lines,
                       const std::vector<std::pair<double, std::string>>& x_ticks = {});

// Round numbers that divide [low, high] in about `count` parts.
std::vector<double> round_ticks(double low, double high, int count);

}  // namespace actionclip::detail
