#include "actionclip/protocols/score_curve.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <stdexcept>

#include <fmt/format.h>

namespace actionclip {
namespace {

constexpr double kWidth = 640, kHeight = 400;
constexpr double kLeft = 64, kRight = 24, kTop = 48, kBottom = 56;  // margins of the plot
constexpr std::size_t kColors = 3;                                  // of the style

// Okabe and Ito's colours, which people with any colour vision tell apart, darker or lighter for contrast.
constexpr const char* kStyle = R"(<style>
  .paper { fill: #ffffff } .axis { stroke: #444444 } .grid { stroke: #dddddd }
  .c0 { fill: #0060a8; stroke: #0060a8 }
  .c1 { fill: #b94a00; stroke: #b94a00 }
  .c2 { fill: #00795a; stroke: #00795a }
  text { fill: #222222; stroke: none; font: 13px sans-serif } .title { font-size: 15px }
  .line { fill: none; stroke-width: 2 } .bar { stroke-width: 1.5 } .dot { stroke: none }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #16181c } .axis { stroke: #aaaaaa } .grid { stroke: #3a3d44 } text { fill: #e6e6e6 }
    .c0 { fill: #56b4e9; stroke: #56b4e9 }
    .c1 { fill: #f0a050; stroke: #f0a050 }
    .c2 { fill: #3fc79a; stroke: #3fc79a }
  }
</style>
)";

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

double clamped(double percent) { return std::clamp(percent, 0.0, 100.0); }

// The scale of the scores: whole steps around all of them and their intervals.
struct Scale {
  double low = 0, high = 100, step = 20;

  double y(double score) const {
    return kTop + (high - clamped(score)) / (high - low) * (kHeight - kTop - kBottom);
  }
};

Scale scale_of(const std::vector<ScoreCurve>& curves) {
  double low = 100, high = 0;
  for (const auto& curve : curves) {
    for (const auto& point : curve.points) {
      low = std::min(low, clamped(point.score - point.margin.value_or(0)));
      high = std::max(high, clamped(point.score + point.margin.value_or(0)));
    }
  }
  constexpr std::array<double, 5> kSteps = {1, 2, 5, 10, 20};
  constexpr double kMostSteps = 6;
  Scale scale;
  for (const double step : kSteps) {
    scale.step = step;
    if ((high - low) / step <= kMostSteps) break;
  }
  scale.low = std::floor(low / scale.step) * scale.step;
  scale.high = std::ceil(high / scale.step) * scale.step;
  if (scale.high == scale.low) {  // one score, on a step
    if (scale.high < 100) {
      scale.high += scale.step;
    } else {
      scale.low -= scale.step;
    }
  }
  return scale;
}

double x_of(std::size_t point, std::size_t points) {
  const double width = kWidth - kLeft - kRight;
  return kLeft + width * (static_cast<double>(point) + 0.5) / static_cast<double>(points);
}

std::string axes(const Scale& scale, const std::vector<CurvePoint>& points) {
  std::string svg;
  const double bottom = kHeight - kBottom;
  const auto steps = std::lround((scale.high - scale.low) / scale.step);
  for (long i = 0; i <= steps; ++i) {
    const double score = scale.low + static_cast<double>(i) * scale.step;
    svg += fmt::format("<line class=\"grid\" x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>\n", kLeft,
                       kWidth - kRight, scale.y(score), scale.y(score));
    svg += fmt::format("<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{:.0f}</text>\n", kLeft - 8,
                       scale.y(score) + 4, score);
  }
  for (std::size_t i = 0; i < points.size(); ++i) {
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
                       x_of(i, points.size()), bottom + 20, points[i].shots);
  }
  svg += fmt::format("<line class=\"axis\" x1=\"{0}\" x2=\"{1}\" y1=\"{2}\" y2=\"{2}\"/>\n", kLeft,
                     kWidth - kRight, bottom);
  svg += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">clips a class</text>\n",
                     (kLeft + kWidth - kRight) / 2, kHeight - 14);
  const double middle = (kTop + bottom) / 2;
  svg += fmt::format(
      "<text x=\"18\" y=\"{0}\" text-anchor=\"middle\" transform=\"rotate(-90 18 {0})\">top-1 (%)</text>\n",
      middle);
  return svg;
}

std::string drawn(const ScoreCurve& curve, const Scale& scale, std::size_t number) {
  std::string line, marks;
  const auto count = curve.points.size();
  for (std::size_t i = 0; i < count; ++i) {
    const auto& point = curve.points[i];
    // Bars of several curves stand side by side.
    const double x = x_of(i, count) + 5 * static_cast<double>(number);
    const double margin = point.margin.value_or(0);
    line += fmt::format("{}{:.1f},{:.1f}", i == 0 ? "" : " ", x, scale.y(point.score));
    if (point.margin) {
      marks +=
          fmt::format("<line class=\"bar\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" y2=\"{2:.1f}\"/>\n",
                      x, scale.y(point.score - margin), scale.y(point.score + margin));
    }
    marks += fmt::format(
        "<circle class=\"dot\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\"><title>{}: {} clips a class, "
        "{:.2f}{}</title></circle>\n",
        x, scale.y(point.score), escaped(curve.name), point.shots, point.score,
        point.margin ? fmt::format(" ± {:.2f}", margin) : "");
  }
  return fmt::format("<g class=\"c{}\">\n<polyline class=\"line\" points=\"{}\"/>\n{}</g>\n",
                     number % kColors, line, marks);
}

std::string legend(const std::vector<ScoreCurve>& curves) {
  constexpr double kEntry = 110;
  std::string svg;
  double x = kWidth - kRight - kEntry * static_cast<double>(curves.size());
  for (std::size_t i = 0; i < curves.size(); ++i, x += kEntry) {
    svg += fmt::format(
        "<g class=\"c{}\"><circle class=\"dot\" cx=\"{}\" cy=\"24\" r=\"4\"/><text x=\"{}\" "
        "y=\"28\">{}</text></g>\n",
        i % kColors, x, x + 10, escaped(curves[i].name));
  }
  return svg;
}

}  // namespace

std::string score_curve_svg(const std::string& title, const std::vector<ScoreCurve>& curves) {
  if (curves.empty() || curves.front().points.empty())
    throw std::invalid_argument("score_curve_svg: no point to draw");
  const Scale scale = scale_of(curves);
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" "
      "role=\"img\">\n<title>{2}</title>\n",
      kWidth, kHeight, escaped(title));
  svg += kStyle;
  svg += fmt::format("<rect class=\"paper\" width=\"{}\" height=\"{}\"/>\n", kWidth, kHeight);
  svg += fmt::format("<text class=\"title\" x=\"{}\" y=\"28\">{}</text>\n", kLeft, escaped(title));
  svg += axes(scale, curves.front().points);
  for (std::size_t i = 0; i < curves.size(); ++i) svg += drawn(curves[i], scale, i);
  if (curves.size() > 1) svg += legend(curves);
  return svg + "</svg>\n";
}

}  // namespace actionclip
