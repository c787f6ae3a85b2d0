// Sections of what the protocols measure: zero-shot, few-shot and base-to-novel.
#include <algorithm>
#include <cmath>
#include <tuple>
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

std::string splits_table(const ordered_json& splits) {
  HtmlTable table({"list", "videos", "failed", "top-1 (%)", "top-5 (%)", "loss"}, 1);
  for (const auto& split : splits) {
    const auto cell = [&](const char* key, int digits) {
      const auto value = number(split, key);
      if (!value) return std::string("–");
      const auto interval = interval_at(split, key);
      return shown(*value, digits) +
             (interval ? fmt::format(" <small>[{}, {}]</small>", shown(interval->first, digits),
                                     shown(interval->second, digits))
                       : "");
    };
    table.add({escape_html(text_at(split, "list"), 300), cell("samples", 0), cell("failed", 0),
               cell("top1", 2), cell("top5", 2), cell("loss", 4)});
  }
  return table.html();
}

// One row of few_shot.json, or what a row of base_to_novel.json has of one kind of classes: "mean", "std" and
// "interval95" over the seeds.
std::string with_spread(const ordered_json& score) {
  const auto mean = number(score, "mean");
  if (!mean) return "–";
  if (const auto interval = pair_at(score, "interval95"))
    return fmt::format("{:.2f} <small>[{:.2f}, {:.2f}]</small>", *mean, interval->first, interval->second);
  const auto deviation = number(score, "std");
  return fmt::format("{:.2f}", *mean) +
         (deviation ? fmt::format(" <small>± {:.2f}</small>", *deviation) : "");
}

// At log2(K + 1), so that 0 has a place too; with the interval, else the deviation, as error bars.
void add_point(const ordered_json& row, const ordered_json& score, ChartLine& line) {
  const auto shots = number(row, "shots"), mean = number(score, "mean");
  if (!shots || *shots < 0 || !mean) return;
  const double deviation = number(score, "std").value_or(0);
  const auto ends = pair_at(score, "interval95").value_or(std::pair(*mean - deviation, *mean + deviation));
  line.points.push_back({.x = std::log2(*shots + 1), .low = ends.first, .mean = *mean, .high = ends.second});
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

std::string shots_cell(const ordered_json& row) {
  return fmt::format("{:.0f}", number(row, "shots").value_or(0));
}

}  // namespace

std::string zero_shot_section(const RunRecord& run) {
  const auto& json = run.zero_shot;
  if (!json.is_object() || !json.contains("splits") || !json["splits"].is_array()) return "";
  std::string html;
  for (const auto& [name, mean, deviation] :
       {std::tuple("top-1", "top1_mean", "top1_std"), std::tuple("top-5", "top5_mean", "top5_std"),
        std::tuple("mAP", "map_mean", "map_std"),
        std::tuple("strict top-1", "strict_top1_mean", "strict_top1_std"),
        std::tuple("strict, others alone", "strict_top1_of_left_mean", "strict_top1_of_left_std")}) {
    const auto value = number(json, mean);
    if (!value) continue;
    html += card(
        name, "%", fmt::format("{:.2f}", *value),
        fmt::format("± {:.2f} over {} split(s)", number(json, deviation).value_or(0), json["splits"].size()));
  }
  if (const auto chance = number(json, "chance_top1"))
    html += card("chance", "%", fmt::format("{:.2f}", *chance), "top-1");
  std::string notes;
  for (const auto& split : json["splits"]) notes += protocol_notes(split, "protocol");
  std::string note;
  if (const auto labels = number(json, "labels")) note = fmt::format("{:.0f} labels", *labels);
  const auto trained = number(json, "labels_trained_on");
  if (trained && *trained > 0) note += fmt::format(", of which the model was trained on {:.0f}", *trained);
  return section("zero-shot", "Zero-shot", note,
                 "<div class=\"cards\">" + html + "</div>\n" + splits_table(json["splits"]) + notes);
}

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
                     protocol_notes(json, "protocol"));
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
                     protocol_notes(json, "protocols"));
}

}  // namespace actionclip::detail
