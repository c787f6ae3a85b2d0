#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include <fmt/format.h>

#include "html.h"
#include "json_values.h"
#include "sections.h"

namespace actionclip::detail {
namespace {

constexpr std::size_t kShown = 12;         // of the best, and of the worst
constexpr std::size_t kMaxClasses = 3000;  // in the list of all
constexpr std::size_t kMaxLabel = 120;     // bytes
constexpr std::size_t kMaxSource = 600;    // bytes

struct ClassRow {
  std::string label;
  double videos = 0, failed = 0;
  std::optional<double> figure;  // top-1, or what stands in for it
  std::optional<double> top5;
};

// What a class is ranked by: its top-1 or, of videos with several labels, its average precision.
struct Measure {
  const char* key = "top1";
  const char* name = "top-1 (%)";
};

Measure measure_of(const nlohmann::ordered_json& classes) {
  for (const auto& entry : classes) {
    if (number(entry, "top1")) return {};
    if (number(entry, "ap")) return {"ap", "average precision (%)"};
  }
  return {};
}

// The best first; of equally good ones, the one with more videos.
std::vector<ClassRow> ranked(const nlohmann::ordered_json& classes, const Measure& measure) {
  std::vector<ClassRow> rows;
  for (const auto& entry : classes) {
    rows.push_back({.label = text_at(entry, "label"),
                    .videos = number(entry, "samples").value_or(0),
                    .failed = number(entry, "failed").value_or(0),
                    .figure = number(entry, measure.key),
                    .top5 = number(entry, "top5")});
  }
  std::erase_if(rows, [](const auto& row) { return !row.figure; });
  std::ranges::stable_sort(rows, [](const auto& a, const auto& b) {
    return *a.figure != *b.figure ? *a.figure > *b.figure : a.videos > b.videos;
  });
  return rows;
}

std::string table_of(std::span<const ClassRow> rows, const Measure& measure) {
  const bool top5 = std::ranges::any_of(rows, [](const auto& row) { return row.top5.has_value(); });
  std::vector<std::string> header = {"class", "videos", measure.name};
  if (top5) header.emplace_back("top-5 (%)");
  HtmlTable table(header, 1);
  for (const auto& row : rows) {
    std::vector<std::string> cells = {
        escape_html(row.label, kMaxLabel), grouped(row.videos),
        fmt::format("<span class=\"bar\" style=\"--share:{0:.1f}%\">{0:.1f}</span>", *row.figure)};
    if (row.failed > 0) cells[1] += fmt::format(" <small>({} failed)</small>", grouped(row.failed));
    if (top5) cells.push_back(row.top5 ? fmt::format("{:.1f}", *row.top5) : "–");
    table.add(cells);
  }
  return table.html("classes");
}

}  // namespace

std::string classes_section(const ClassResults& results) {
  const auto& classes = results.classes;
  const auto measure = measure_of(classes);
  auto rows = ranked(classes, measure);
  if (rows.empty()) return "";
  const std::span<const ClassRow> all(rows);
  const auto source = escape_html(results.source, kMaxSource);
  if (rows.size() <= 2 * kShown) {
    return section("classes", "Classes", source + (source.empty() ? "" : " ") + "The best first.",
                   table_of(all, measure));
  }
  std::vector<ClassRow> worst(rows.rbegin(), rows.rbegin() + kShown);
  const auto listed = all.first(std::min(rows.size(), kMaxClasses));
  const std::string content = fmt::format(
      "<div "
      "class=\"two\"><div><h3>Worst</h3>\n{}</div><div><h3>Best</h3>\n{}</div></div>\n<details><summary>All "
      "{} "
      "classes{}</summary>\n{}</details>\n",
      table_of(worst, measure), table_of(all.first(kShown), measure),
      grouped(static_cast<double>(rows.size())),
      listed.size() < rows.size() ? fmt::format(" (the best {})", kMaxClasses) : "",
      table_of(listed, measure));
  return section("classes", "Classes", source, content);
}

}  // namespace actionclip::detail
