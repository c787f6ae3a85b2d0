#include <array>
#include <cstddef>
#include <utility>

#include <fmt/format.h>

#include "chart.h"
#include "html.h"
#include "sections.h"

namespace actionclip::detail {
namespace {

constexpr std::size_t kMostPoints = 300;  // of a curve: more than a screen shows apart

// What goes into one chart: keys of RunRecord::curves, and how each is called.
struct Chart {
  ChartText text;
  std::vector<std::pair<const char*, const char*>> lines;
};

std::vector<Chart> charts() {
  return {{{.title = "loss", .unit = "", .x_name = "step"},
           {{"train/loss", "training"}, {"val/loss", "validation"}}},
          {{.title = "validation", .unit = "%", .x_name = "step"},
           {{"val/top1", "top-1"}, {"val/top5", "top-5"}, {"val/map", "mAP"}}},
          {{.title = "learning rate", .unit = "", .x_name = "step"}, {{"train/lr", "learning rate"}}},
          {{.title = "throughput", .unit = "videos a second", .x_name = "step"},
           {{"train/videos_per_second", "videos a second"}}}};
}

std::vector<ChartLine> lines_of(const RunRecord& run, const Chart& chart) {
  std::vector<ChartLine> lines;
  for (const auto& [key, name] : chart.lines) {
    const auto curve = run.curves.find(key);
    if (curve == run.curves.end() || curve->second.empty()) continue;
    const bool dots = curve->first.starts_with("val/") && curve->second.steps.size() <= kMostPoints / 3;
    lines.push_back({.name = name, .points = reduce(curve->second, kMostPoints), .dots = dots});
  }
  return lines;
}

}  // namespace

std::string curves_section(const RunRecord& run) {
  std::string html;
  bool reduced = false;
  for (const auto& chart : charts()) {
    const auto lines = lines_of(run, chart);
    if (!lines.empty()) html += line_chart(chart.text, lines);
  }
  if (html.empty()) return "";
  for (const auto& [key, curve] : run.curves) reduced = reduced || curve.steps.size() > kMostPoints;
  return section(
      "curves", "Curves",
      reduced ? fmt::format("Means of neighbouring steps, {} points a curve at most; the band is what lies "
                            "between their least and greatest values.",
                            kMostPoints)
              : "",
      "<div class=\"charts\">" + html + "</div>\n");
}

}  // namespace actionclip::detail
