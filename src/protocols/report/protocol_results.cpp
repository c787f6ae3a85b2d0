// Sections of what is measured over numbers of clips a class: few-shot and base-to-novel.
#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "chart.h"
#include "figure_cards.h"
#include "html.h"
#include "json_values.h"
#include "sections.h"

namespace actionclip::detail {
namespace {

using nlohmann::ordered_json;

// One row of few_shot.json, or what a row of base_to_novel.json has of one kind of classes: "mean", "std" and
// "interval95" over the seeds. Of one seed, the score alone.
std::string with_spread(const ordered_json& score) {
  const auto mean = number(score, "mean");
  if (!mean) return "–";
  if (const auto interval = pair_at(score, "interval95"))
    return fmt::format("{:.2f} <small>[{:.2f}, {:.2f}]</small>", *mean, interval->first, interval->second);
  const bool one = array_at(score, "top1").size() == 1 || array_at(score, "values").size() == 1;
  const auto deviation = one ? std::nullopt : number(score, "std");
  return fmt::format("{:.2f}", *mean) +
         (deviation ? fmt::format(" <small>± {:.2f}</small>", *deviation) : "");
}

// At log2(K + 1), so that 0 has a place too; with the interval, else the deviation, as error bars.
void add_point(const ordered_json& row, const ordered_json& score, ChartLine& line) {
  const auto shots = number(row, "shots"), mean = number(score, "mean");
  if (!shots || *shots < 0 || !mean) return;
  const double deviation = number(score, "std").value_or(0);
  const auto ends = pair_at(score, "interval95").value_or(std::pair(*mean - deviation, *mean + deviation));
  line.points.push_back({.x = std::log2(*shots + 1),
                         .low = ends.first,
                         .mean = *mean,
                         .high = ends.second,
                         .place = fmt::format("{:.0f} clip{} a class", *shots, *shots == 1 ? "" : "s")});
}

std::string shots_chart(const ordered_json& rows, std::vector<ChartLine> lines) {
  std::erase_if(lines, [](const auto& line) { return line.points.empty(); });
  if (lines.empty()) return "";
  for (auto& line : lines) std::ranges::sort(line.points, {}, &CurvePoint::x);
  std::vector<std::pair<double, std::string>> ticks;
  for (const auto& row : rows) {
    if (const auto shots = number(row, "shots"); shots && *shots >= 0)
      ticks.emplace_back(std::log2(*shots + 1), fmt::format("{:.0f}", *shots));
  }
  return line_chart({.title = "top-1", .unit = "%", .x_name = "clips a class"}, lines, ticks);
}

ChartLine line_named(std::string name) {
  return {.name = std::move(name), .points = {}, .dots = true, .whiskers = true};
}

// The values of each seed.
std::string each_of(const ordered_json& row) {
  std::string each;
  if (!row.is_object() || !row.contains("top1") || !row["top1"].is_array()) return each;
  for (const auto& value : row["top1"]) {
    if (value.is_number()) each += (each.empty() ? "" : " ") + fmt::format("{:.2f}", value.get<double>());
  }
  return each;
}

// Each row has the test videos without a score under "failed", by seed.
std::string failed_note(const ordered_json& rows) {
  double most = 0;
  for (const auto& row : rows) {
    for (const auto& count : array_at(row, "failed")) {
      if (count.is_number()) most = std::max(most, count.get<double>());
    }
  }
  if (!(most > 0)) return "";
  return fmt::format("<p class=\"note\">{} test video{} could not be scored and count{} as wrong.</p>\n",
                     grouped(most), most == 1 ? "" : "s", most == 1 ? "s" : "");
}

std::string shots_cell(const ordered_json& row) {
  return fmt::format("{:.0f}", number(row, "shots").value_or(0));
}

}  // namespace

std::string few_shot_section(const RunRecord& run) {
  const auto& json = run.few_shot;
  if (!json.is_object() || !json.contains("rows") || !json["rows"].is_array()) return "";
  const auto& rows = json["rows"];
  HtmlTable table({"clips a class", "top-1 (%)", "of each seed"}, 0);
  auto line = line_named("top-1");
  for (const auto& row : rows) {
    table.add({shots_cell(row), with_spread(row), each_of(row)});
    add_point(row, row, line);
  }
  if (table.empty()) return "";
  return section("few-shot", "Few-shot", "Means over the seeds, with 95 % intervals, or else deviations.",
                 "<div class=\"charts\">" + shots_chart(rows, {line}) + table.html() + "</div>\n" +
                     failed_note(rows) + protocol_notes(json, "protocol"));
}

std::string base_to_novel_section(const RunRecord& run) {
  const auto& json = run.base_to_novel;
  if (!json.is_object() || !json.contains("rows") || !json["rows"].is_array()) return "";
  const auto& rows = json["rows"];
  HtmlTable table({"clips a class", "base (%)", "novel (%)", "harmonic (%)"}, 0);
  std::vector<ChartLine> lines = {line_named("base"), line_named("novel"), line_named("harmonic")};
  for (const auto& row : rows) {
    std::vector<std::string> cells = {shots_cell(row)};
    for (auto& line : lines) {
      const auto score = row.is_object() ? row.value(line.name, ordered_json()) : ordered_json();
      cells.push_back(with_spread(score));
      add_point(row, score, line);
    }
    table.add(cells);
  }
  if (table.empty()) return "";
  return section("base-to-novel", "Base to novel",
                 "Top-1 among the labels of each half; means over the seeds.",
                 "<div class=\"charts\">" + shots_chart(rows, lines) + table.html() + "</div>\n" +
                     failed_note(rows) + protocol_notes(json, "protocols"));
}

}  // namespace actionclip::detail
