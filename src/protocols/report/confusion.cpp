#include "confusion.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include "html.h"

namespace actionclip::detail {
namespace {

constexpr std::size_t kMaxPairs = 60;
constexpr std::size_t kMaxCells = 60'000;  // that are drawn: together under 2 MB
constexpr std::size_t kMaxLabel = 120;     // bytes
constexpr std::size_t kMaxSource = 600;    // bytes

// Upper ends of the shades of a cell, as shares of its row.
constexpr std::array<double, 5> kShades = {0.05, 0.12, 0.25, 0.5, 1.0};

std::vector<std::int64_t> videos_by_class(const ConfusionMatrix& matrix) {
  std::vector<std::int64_t> videos(matrix.labels.size());
  for (const auto& cell : matrix.cells) videos[static_cast<std::size_t>(cell.truth)] += cell.videos;
  return videos;
}

double share_of(const ConfusionMatrix::Cell& cell, const std::vector<std::int64_t>& videos) {
  return static_cast<double>(cell.videos) / static_cast<double>(videos[static_cast<std::size_t>(cell.truth)]);
}

// Of more than kMaxCells, those with the most videos; in the matrix' order.
std::vector<ConfusionMatrix::Cell> drawn_cells(const ConfusionMatrix& matrix) {
  auto cells = matrix.cells;
  if (cells.size() <= kMaxCells) return cells;
  const auto by_place = [](const auto& cell) { return std::pair(cell.truth, cell.predicted); };
  std::ranges::sort(cells, [&](const auto& a, const auto& b) {
    return a.videos != b.videos ? a.videos > b.videos : by_place(a) < by_place(b);
  });
  cells.resize(kMaxCells);
  std::ranges::sort(cells, {}, by_place);
  return cells;
}

// One path a shade: a stroke of one unit for each cell, moves relative to the end of the stroke before.
class ShadePath {
 public:
  void add(std::int32_t row, std::int32_t column) {
    if (text_.empty()) {
      text_ = fmt::format("M{} {}.5h1", column, row);
    } else if (row == row_ && column == column_ + 1) {
      text_ += "h1";
    } else {
      text_ += fmt::format("m{} {}h1", column - column_ - 1, row - row_);
    }
    row_ = row;
    column_ = column;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::int32_t row_ = 0, column_ = 0;
};

std::string drawing(const ConfusionMatrix& matrix, const std::vector<ConfusionMatrix::Cell>& cells,
                    const std::vector<std::int64_t>& videos) {
  std::array<std::array<ShadePath, kShades.size()>, 2> paths;
  for (const auto& cell : cells) {
    const auto shade =
        static_cast<std::size_t>(std::ranges::lower_bound(kShades, share_of(cell, videos)) - kShades.begin());
    paths[cell.truth == cell.predicted ? 1 : 0][std::min(shade, kShades.size() - 1)].add(cell.truth,
                                                                                         cell.predicted);
  }
  const auto size = matrix.labels.size();
  std::string svg = fmt::format(
      "<svg id=\"matrix\" viewBox=\"0 0 {0} {0}\" role=\"img\" aria-label=\"confusion matrix, {0} by {0} "
      "classes\" "
      "style=\"--cell:{1:.2f}\"><rect class=\"paper\" width=\"{0}\" height=\"{0}\"/>",
      size, std::max(1.0, static_cast<double>(size) / 220));
  for (const bool right : {false, true}) {
    for (std::size_t shade = 0; shade < kShades.size(); ++shade) {
      const auto& path = paths[right ? 1 : 0][shade];
      if (!path.text().empty())
        svg +=
            fmt::format("<path class=\"{} h{}\" d=\"{}\"/>", right ? "right" : "wrong", shade, path.text());
    }
  }
  return svg + "<g id=\"cross\"></g></svg>\n";
}

std::string data_for_script(const ConfusionMatrix& matrix, const std::vector<ConfusionMatrix::Cell>& cells,
                            const std::vector<std::int64_t>& videos) {
  nlohmann::ordered_json json = {{"labels", matrix.labels}, {"videos", videos}};
  auto& flat = json["cells"] = nlohmann::ordered_json::array();
  for (const auto& cell : cells) {
    flat.push_back(cell.truth);
    flat.push_back(cell.predicted);
    flat.push_back(cell.videos);
  }
  return fmt::format("<script type=\"application/json\" id=\"confusion-data\">{}</script>\n",
                     json_for_script(json));
}

std::string pair_table(const ConfusionMatrix& matrix) {
  HtmlTable table({"true class", "taken for", "videos", "share"}, 2);
  for (const auto& pair : worst_pairs(matrix, kMaxPairs)) {
    const auto name = [&](std::int32_t id) {
      return escape_html(matrix.labels[static_cast<std::size_t>(id)], kMaxLabel);
    };
    table.add({fmt::format("<a href=\"#confusion\">{}</a>", name(pair.truth)), name(pair.predicted),
               grouped(static_cast<double>(pair.videos)), fmt::format("{:.0f} %", 100 * pair.share)},
              fmt::format("data-t=\"{}\" data-p=\"{}\"", pair.truth, pair.predicted));
  }
  if (table.empty()) return "<p>No video was given a wrong class.</p>\n";
  return table.html("pairs");
}

std::string legend() {
  std::string html = "<p class=\"legend\">";
  for (const char* kind : {"right", "wrong"}) {
    html += fmt::format("<span>{}</span>", kind);
    for (std::size_t shade = 0; shade < kShades.size(); ++shade)
      html += fmt::format("<i class=\"{} h{}\"></i>", kind, shade);
  }
  return html + fmt::format("<span>share of the row: to {:.0f}, {:.0f}, {:.0f}, {:.0f}, 100 %</span></p>\n",
                            100 * kShades[0], 100 * kShades[1], 100 * kShades[2], 100 * kShades[3]);
}

}  // namespace

std::vector<ConfusedPair> worst_pairs(const ConfusionMatrix& matrix, std::size_t most) {
  const auto videos = videos_by_class(matrix);
  std::vector<ConfusedPair> pairs;
  for (const auto& cell : matrix.cells) {
    if (cell.truth == cell.predicted) continue;
    pairs.push_back({cell.truth, cell.predicted, cell.videos, share_of(cell, videos)});
  }
  std::ranges::sort(pairs, [](const auto& a, const auto& b) {
    if (a.videos != b.videos) return a.videos > b.videos;
    if (a.share != b.share) return a.share > b.share;
    return std::pair(a.truth, a.predicted) < std::pair(b.truth, b.predicted);
  });
  if (pairs.size() > most) pairs.resize(most);
  return pairs;
}

std::string confusion_section(const ConfusionMatrix& matrix, std::string_view source) {
  const auto videos = videos_by_class(matrix);
  const auto cells = drawn_cells(matrix);
  std::string note = escape_html(source, kMaxSource) + (source.empty() ? "" : " ");
  note += fmt::format(
      "{} classes; a row is a true class, a column the class that ranked first, both in the "
      "order of the label file.",
      grouped(static_cast<double>(matrix.labels.size())));
  if (cells.size() < matrix.cells.size()) {
    note += fmt::format(" Of {} cells that are not empty, the {} with the most videos are drawn.",
                        grouped(static_cast<double>(matrix.cells.size())),
                        grouped(static_cast<double>(cells.size())));
  }
  const std::string content = fmt::format(
      "<div class=\"confusion\"><div class=\"matrix\"><span class=\"axis-x\">predicted →</span>"
      "<span class=\"axis-y\">true →</span>{}</div>\n<div class=\"beside\"><div id=\"cell\" "
      "aria-live=\"polite\" "
      "class=\"empty\">Click a cell, or a pair below.</div>\n<h3>Worst pairs</h3>\n{}</div></div>\n{}{}",
      drawing(matrix, cells, videos), pair_table(matrix), legend(), data_for_script(matrix, cells, videos));
  return section("confusion", "Confusion", note, content);
}

}  // namespace actionclip::detail
