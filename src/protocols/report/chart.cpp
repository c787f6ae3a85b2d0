#include "chart.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "html.h"

namespace actionclip::detail {
namespace {

constexpr double kWidth = 520, kHeight = 230;  // of the drawing's own units
constexpr double kLeft = 52, kRight = 12, kTop = 12, kBottom = 34;

struct Axis {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void cover(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  // Room around what is there; of a single value too.
  void widen(double share) {
    if (low > high) low = 0, high = 1;
    const double room = high > low ? (high - low) * share : std::max(1e-9, std::abs(high) * 0.1);
    low -= room;
    high += room;
  }
  double share(double value) const { return (value - low) / (high - low); }
};

struct Plane {
  Axis x, y;

  double left(double value) const { return kLeft + x.share(value) * (kWidth - kLeft - kRight); }
  double top(double value) const { return kHeight - kBottom - y.share(value) * (kHeight - kTop - kBottom); }
};

// As short as it is exact enough for people.
std::string short_number(double value) {
  const double size = std::abs(value);
  if (size >= 1e6) return fmt::format("{:.4g}M", value / 1e6);
  if (size >= 1e3) return fmt::format("{:.4g}k", value / 1e3);
  if (size != 0 && size < 1e-3) return fmt::format("{:.2g}", value);
  return fmt::format("{:.4g}", value);
}

Plane plane_of(const std::vector<ChartLine>& lines) {
  Plane plane;
  for (const auto& line : lines) {
    for (const auto& point : line.points) {
      plane.x.cover(point.x);
      plane.y.cover(point.low);
      plane.y.cover(point.high);
    }
  }
  const bool positive = plane.y.low >= 0;
  plane.x.widen(plane.x.high > plane.x.low ? 0.01 : 0);
  if (!(plane.x.high > plane.x.low)) plane.x.widen(0.5);
  plane.y.widen(0.06);
  // From nothing on, where that costs little of the height.
  if (positive && plane.y.low < 0.35 * plane.y.high) plane.y.low = 0;
  return plane;
}

std::string axes(const Plane& plane, const ChartText& text,
                 std::vector<std::pair<double, std::string>> x_ticks) {
  std::string svg;
  for (const double value : round_ticks(plane.y.low, plane.y.high, 4)) {
    const double y = plane.top(value);
    svg += fmt::format(
        "<line class=\"grid\" x1=\"{0}\" x2=\"{1}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\"/><text class=\"tick\" "
        "x=\"{3}\" "
        "y=\"{4:.1f}\" text-anchor=\"end\">{5}</text>",
        kLeft, kWidth - kRight, y, kLeft - 6, y + 3.5, short_number(value));
  }
  if (x_ticks.empty()) {
    for (const double value : round_ticks(plane.x.low, plane.x.high, 5)) {
      if (value >= 0) x_ticks.emplace_back(value, short_number(value));
    }
  }
  for (const auto& [value, name] : x_ticks) {
    svg += fmt::format("<text class=\"tick\" x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                       plane.left(value), kHeight - kBottom + 16, escape_html(name));
  }
  return svg + fmt::format(
                   "<line class=\"axis\" x1=\"{0}\" x2=\"{1}\" y1=\"{2}\" y2=\"{2}\"/>"
                   "<text class=\"tick\" x=\"{1}\" y=\"{3}\" text-anchor=\"end\">{4}</text>",
                   kLeft, kWidth - kRight, kHeight - kBottom, kHeight - 4, escape_html(text.x_name));
}

std::string band(const Plane& plane, const std::vector<CurvePoint>& points) {
  std::string there, back;
  for (const auto& point : points) {
    there += fmt::format("{:.1f},{:.1f} ", plane.left(point.x), plane.top(point.high));
    back.insert(0, fmt::format("{:.1f},{:.1f} ", plane.left(point.x), plane.top(point.low)));
  }
  return fmt::format("<polygon class=\"band\" points=\"{}{}\"/>", there, back);
}

std::string line(const Plane& plane, const ChartLine& drawn, std::size_t number) {
  const bool spread = std::ranges::any_of(drawn.points, [](const auto& p) { return p.high > p.low; });
  std::string svg = fmt::format("<g class=\"series s{}\">", number);
  if (spread && !drawn.whiskers) svg += band(plane, drawn.points);
  std::string way, dots;
  for (const auto& point : drawn.points) {
    const double x = plane.left(point.x), y = plane.top(point.mean);
    way += fmt::format("{:.1f},{:.1f} ", x, y);
    if (drawn.whiskers && point.high > point.low) {
      svg +=
          fmt::format("<line class=\"whisker\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" y2=\"{2:.1f}\"/>",
                      x, plane.top(point.low), plane.top(point.high));
    }
    if (drawn.dots || drawn.points.size() == 1) {
      dots += fmt::format(
          "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2.6\"><title>{}: {:.6g} at {}</title></circle>", x, y,
          escape_html(drawn.name), point.mean,
          point.place.empty() ? fmt::format("{:.6g}", point.x) : escape_html(point.place));
    }
  }
  return svg + fmt::format("<polyline data-name=\"{}\" points=\"{}\"/>", escape_html(drawn.name), way) +
         dots + "</g>";
}

}  // namespace

std::vector<CurvePoint> reduce(const Curve& curve, std::size_t most) {
  std::vector<CurvePoint> points;
  const std::size_t count = curve.steps.size();
  const std::size_t parts = std::min(count, most);
  for (std::size_t part = 0; part < parts; ++part) {
    const std::size_t begin = part * count / parts, end = (part + 1) * count / parts;
    CurvePoint point{.low = curve.values[begin], .high = curve.values[begin]};
    for (std::size_t i = begin; i < end; ++i) {
      point.x += curve.steps[i];
      point.mean += curve.values[i];
      point.low = std::min(point.low, curve.values[i]);
      point.high = std::max(point.high, curve.values[i]);
    }
    point.x /= static_cast<double>(end - begin);
    point.mean /= static_cast<double>(end - begin);
    points.push_back(point);
  }
  return points;
}

std::vector<double> round_ticks(double low, double high, int count) {
  if (!(high > low)) return {};
  const double rough = (high - low) / count;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  const double share = rough / power;
  const double step = power * (share < 1.5 ? 1 : share < 3.5 ? 2 : share < 7.5 ? 5 : 10);
  std::vector<double> ticks;
  const auto last = static_cast<std::int64_t>(std::floor(high / step + 1e-9));
  for (auto i = static_cast<std::int64_t>(std::ceil(low / step - 1e-9)); i <= last; ++i)
    ticks.push_back(static_cast<double>(i) * step);
  return ticks;
}

std::string line_chart(const ChartText& text, const std::vector<ChartLine>& lines,
                       const std::vector<std::pair<double, std::string>>& x_ticks) {
  const Plane plane = plane_of(lines);
  std::string legend, drawn;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines.size() > 1)
      legend += fmt::format("<span class=\"key s{}\">{}</span>", i, escape_html(lines[i].name));
    drawn += line(plane, lines[i], i);
  }
  return fmt::format(
      "<figure class=\"chart\"><figcaption>{0}{1} {2}<output></output></figcaption>\n"
      "<svg viewBox=\"0 0 {3} {4}\" role=\"img\" aria-label=\"{0}\" data-x=\"{5:.9g} {6:.9g}\" "
      "data-y=\"{7:.9g} {8:.9g}\" "
      "data-frame=\"{9} {10} {11} {12}\" data-x-name=\"{13}\">{14}{15}<line class=\"cursor\" y1=\"{11}\" "
      "y2=\"{12}\"/></svg></figure>\n",
      escape_html(text.title), text.unit.empty() ? "" : " (" + escape_html(text.unit) + ")", legend, kWidth,
      kHeight, plane.x.low, plane.x.high, plane.y.low, plane.y.high, kLeft, kWidth - kRight, kTop,
      kHeight - kBottom, escape_html(text.x_name), axes(plane, text, x_ticks), drawn);
}

}  // namespace actionclip::detail
