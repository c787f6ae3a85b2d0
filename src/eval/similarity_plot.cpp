#include "actionclip/eval/similarity_plot.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "text/utf8.h"

namespace actionclip {
namespace {

// Pixels.
constexpr double kWidth = 900, kHeight = 380;
constexpr double kLeft = 64, kRight = 612, kTop = 40, kBottom = 322;  // of the plot
constexpr double kLegend = 636;                                       // its left edge
constexpr double kLegendRow = 44;
constexpr std::size_t kLegendLetters = 30;
constexpr double kTicks = 7;  // or a few less

// Colours that stay apart for the colour-blind, for a light and a dark page; not all viewers know variables.
constexpr std::string_view kStyle = R"(<style>
text{font-family:system-ui,sans-serif;font-size:13px;fill:#333}
.paper{fill:#fff}.grid{stroke:#e3e3e3}.axis{stroke:#999}.mark{stroke:#777;stroke-dasharray:4 4}
.small{font-size:12px;fill:#666}.line{fill:none;stroke-width:2;stroke-linejoin:round}.point{stroke-width:2}
.hollow{fill:#fff}.s0{stroke:#2a78d6}.s1{stroke:#e2602b}.s2{stroke:#15966a}.s3{stroke:#b97d00}.s4{stroke:#6a4fc4}
.f0{fill:#2a78d6}.f1{fill:#e2602b}.f2{fill:#15966a}.f3{fill:#b97d00}.f4{fill:#6a4fc4}
@media (prefers-color-scheme:dark){text{fill:#ddd}.paper{fill:#1b1b1d}.grid{stroke:#333}.axis{stroke:#777}
.mark{stroke:#999}.small{fill:#a5a5a5}.hollow{fill:#1b1b1d}
.s0{stroke:#5a9df0}.s1{stroke:#f0814f}.s2{stroke:#33b98a}.s3{stroke:#dba63a}.s4{stroke:#a494f2}
.f0{fill:#5a9df0}.f1{fill:#f0814f}.f2{fill:#33b98a}.f3{fill:#dba63a}.f4{fill:#a494f2}}
</style>
)";

// `text` as XML, which has no place for most control characters and for bytes that are not UTF-8; cut behind
// `letters` code points.
std::string xml_text(std::string_view text, std::size_t letters = std::numeric_limits<std::size_t>::max()) {
  std::string ascii;
  if (!detail::is_utf8(text)) {
    std::ranges::transform(text, std::back_inserter(ascii),
                           [](char c) { return static_cast<unsigned char>(c) < 0x80 ? c : '?'; });
    text = ascii;
  }
  std::string xml;
  std::size_t count = 0;
  for (std::size_t position = 0; position < text.size();) {
    if (count++ == letters) return xml + "\xe2\x80\xa6";  // an ellipsis
    const char32_t letter = detail::next_code_point(text, position);
    switch (letter) {
      case U'&':
        xml += "&amp;";
        break;
      case U'<':
        xml += "&lt;";
        break;
      case U'>':
        xml += "&gt;";
        break;
      default:
        detail::append_utf8(xml, letter < 0x20 || letter == 0xfffe || letter == 0xffff ? U'?' : letter);
    }
  }
  return xml;
}

// 1, 2 or 5 times a power of ten.
double tick_step(double range) {
  const double rough = range / kTicks, power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1., 2., 5.}) {
    if (factor * power >= rough) return factor * power;
  }
  return 10 * power;
}

// Values `from` to `to` lie at the pixels `start` to `end`.
struct Axis {
  double from, to, start, end;

  double pixel(double value) const { return start + (value - from) / (to - from) * (end - start); }

  // The texts of the ticks, whose values `places` gets.
  std::vector<std::string> tick_texts(std::vector<double>& places, double least_step) const {
    const double step = std::max(least_step, tick_step(to - from));
    const int digits = std::max(0, -static_cast<int>(std::floor(std::log10(step) + 1e-9)));
    std::vector<std::string> texts;
    // Counted, as sums of steps drift.
    const auto last = static_cast<std::int64_t>(std::floor(to / step + 1e-9));
    for (auto i = static_cast<std::int64_t>(std::ceil(from / step - 1e-9)); i <= last; ++i) {
      places.push_back(static_cast<double>(i) * step);
      texts.push_back(fmt::format("{:.{}f}", places.back(), digits));
    }
    return texts;
  }
};

// An axis around all `values`, `margin` of their range wider at both ends; not empty if they are all the
// same.
Axis axis_around(const std::vector<double>& values, double margin, double least, double start, double end) {
  const auto [low, high] = std::ranges::minmax(values);
  const double wider = std::max(margin * (high - low), (least - (high - low)) / 2);
  return {low - std::max(wider, 0.), high + std::max(wider, 0.), start, end};
}

class Plot {
 public:
  Plot(const Explanation& explanation, std::size_t labels)
      : explanation_(explanation),
        labels_(std::min({labels, kPlottedLabels, explanation.labels.size()})),
        in_seconds_(std::ranges::all_of(
            explanation.frames, [](const ExplainedFrame& frame) { return frame.seconds.has_value(); })),
        x_(axis_around(times(), 0, in_seconds_ ? 0.1 : 1, kLeft, kRight)),
        y_(axis_around(similarities(), 0.08, 0.01, kBottom, kTop)) {}

  std::string svg() {
    out_ = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\">\n",
        kWidth, kHeight);
    out_ += kStyle;
    out_ += fmt::format("<title>{}</title>\n", xml_text(explanation_.video));
    out_ += R"(<rect class="paper" width="100%" height="100%"/>)"
            "\n";
    draw_axes();
    draw_decision();
    // The most probable label lies on top.
    for (std::size_t id = labels_; id-- > 0;) draw_line(id);
    for (std::size_t id = 0; id < labels_; ++id) draw_legend(id);
    return std::move(out_) + "</svg>\n";
  }

 private:
  double time(const ExplainedFrame& frame) const {
    return in_seconds_ ? *frame.seconds : static_cast<double>(frame.index);
  }

  std::vector<double> times() const {
    std::vector<double> result;
    for (const auto& frame : explanation_.frames) result.push_back(time(frame));
    return result;
  }

  std::vector<double> similarities() const {
    std::vector<double> result;
    for (const auto& frame : explanation_.frames) {
      for (std::size_t id = 0; id < labels_; ++id) result.push_back(frame.similarities[id]);
    }
    return result;
  }

  std::string time_text(const ExplainedFrame& frame) const {
    return in_seconds_ ? fmt::format("{:.2f} s", *frame.seconds) : fmt::format("frame {}", frame.index);
  }

  void draw_text(double x, double y, std::string_view anchor, std::string_view kind, std::string_view text) {
    out_ += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\"{}>{}</text>\n", x, y, anchor,
                        kind.empty() ? "" : fmt::format(" class=\"{}\"", kind), text);
  }

  void draw_stroke(std::string_view kind, double x1, double y1, double x2, double y2) {
    out_ += fmt::format(R"(<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>)"
                        "\n",
                        kind, x1, y1, x2, y2);
  }

  void draw_axes() {
    std::vector<double> places;
    auto texts = y_.tick_texts(places, 0);
    for (std::size_t i = 0; i < places.size(); ++i) {
      const double y = y_.pixel(places[i]);
      draw_stroke("grid", kLeft, y, kRight, y);
      draw_text(kLeft - 8, y + 4, "end", "small", texts[i]);
    }
    places.clear();
    texts = x_.tick_texts(places, in_seconds_ ? 0 : 1);
    for (std::size_t i = 0; i < places.size(); ++i) {
      const double x = x_.pixel(places[i]);
      draw_stroke("axis", x, kBottom, x, kBottom + 5);
      draw_text(x, kBottom + 20, "middle", "small", texts[i]);
    }
    draw_stroke("axis", kLeft, kBottom, kRight, kBottom);
    draw_text((kLeft + kRight) / 2, kBottom + 44, "middle", "small", in_seconds_ ? "seconds" : "frame");
    draw_text(kLeft, kTop - 20, "start", "small", "similarity of each frame to the label");
  }

  void draw_decision() {
    if (!explanation_.decision) return;
    const auto& frame = explanation_.frames[static_cast<std::size_t>(explanation_.decision->frame)];
    const double x = x_.pixel(time(frame));
    draw_stroke("mark", x, kTop - 4, x, kBottom);
    const bool is_left = x < (kLeft + kRight) / 2;
    draw_text(is_left ? x + 6 : x - 6, kTop - 2, is_left ? "start" : "end", "small",
              "decided at " + time_text(frame));
  }

  void draw_line(std::size_t id) {
    std::string points, circles;
    for (std::size_t i = 0; i < explanation_.frames.size(); ++i) {
      const auto& frame = explanation_.frames[i];
      const double x = x_.pixel(time(frame)), y = y_.pixel(frame.similarities[id]);
      const bool is_moment = static_cast<std::int64_t>(i) == explanation_.labels[id].moment;
      points += fmt::format("{:.1f},{:.1f} ", x, y);
      circles += fmt::format(
          R"(<circle class="point s{0} {1}" cx="{2:.1f}" cy="{3:.1f}" r="{4}"><title>{5}: {6:.4f}, {7}</title></circle>)"
          "\n",
          id, is_moment ? fmt::format("f{}", id) : "hollow", x, y, is_moment ? 5 : 3,
          xml_text(explanation_.labels[id].label), frame.similarities[id], time_text(frame));
    }
    out_ += fmt::format("<polyline class=\"line s{}\" points=\"{}\"/>\n", id, points) + circles;
  }

  void draw_legend(std::size_t id) {
    const auto& label = explanation_.labels[id];
    const double y = kTop + 8 + kLegendRow * static_cast<double>(id);
    out_ += fmt::format(R"(<rect class="f{}" x="{}" y="{}" width="12" height="12" rx="2"/>)"
                        "\n",
                        id, kLegend, y - 11);
    draw_text(kLegend + 20, y, "start", "", xml_text(label.label, kLegendLetters));
    draw_text(kLegend + 20, y + 17, "start", "small",
              fmt::format("{:.1f} %, most similar at {}", 100 * label.probability,
                          time_text(explanation_.frames[static_cast<std::size_t>(label.moment)])));
  }

  const Explanation& explanation_;
  std::size_t labels_;
  bool in_seconds_;
  Axis x_, y_;
  std::string out_;
};

}  // namespace

std::string similarity_svg(const Explanation& explanation, std::size_t labels) {
  return Plot(explanation, labels).svg();
}

}  // namespace actionclip
