#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "chart.h"
#include "html.h"
#include "json_values.h"
#include "sections.h"

namespace actionclip::detail {
namespace {

using nlohmann::ordered_json;

// How a figure is shown. Those that are not listed come by their keys, in a table.
struct ShownFigure {
  const char* key;
  const char* name;
  const char* unit;
  int digits;
};
constexpr std::array<ShownFigure, 8> kFigures = {{{"top1", "top-1", "%", 2},
                                                  {"top5", "top-5", "%", 2},
                                                  {"map", "mAP", "%", 2},
                                                  {"mean_class_accuracy", "mean class accuracy", "%", 2},
                                                  {"loss", "loss", "", 4},
                                                  {"ece", "calibration error", "%", 2},
                                                  {"samples", "videos", "", 0},
                                                  {"failed", "failed (count as wrong)", "", 0}}};

std::string shown(double value, int digits) {
  return digits == 0 ? grouped(value) : fmt::format("{:.{}f}", value, digits);
}

std::string card(std::string_view name, std::string_view unit, const std::string& value,
                 const std::string& below) {
  return fmt::format(
      "<div class=\"card\"><div class=\"name\">{}</div><div class=\"value\">{}<small>{}</small></div>"
      "<div class=\"below\">{}</div></div>\n",
      name, value, unit, below);
}

std::string cards(const ordered_json& figures) {
  std::string html;
  for (const auto& figure : kFigures) {
    const auto value = number(figures, figure.key);
    if (!value) continue;
    std::string below;
    if (const auto interval = interval_at(figures, figure.key)) {
      below = fmt::format("95 %: {} – {}", shown(interval->first, figure.digits),
                          shown(interval->second, figure.digits));
    }
    html += card(figure.name, figure.unit, shown(*value, figure.digits), below);
  }
  return "<div class=\"cards\">" + html + "</div>\n";
}

// Numbers and texts that no card shows, those of objects in it too ("groups verb").
void add_others(const ordered_json& figures, const std::string& prefix, HtmlTable& table) {
  static const std::set<std::string, std::less<>> elsewhere = {
      "top1",   "top5",      "map",           "mean_class_accuracy", "loss",  "ece", "samples",
      "failed", "intervals", "failed_videos", "per_class",           "split", "step"};
  for (const auto& [key, value] : figures.items()) {
    if (prefix.empty() && elsewhere.contains(key)) continue;
    const auto name = prefix + (prefix.empty() ? "" : " ") + key;
    if (value.is_object()) {
      add_others(value, name, table);
    } else if (value.is_number() || value.is_string()) {
      const auto text = value.is_number_float() ? fmt::format("{:.6g}", value.get<double>())
                        : value.is_string()     ? value.get<std::string>()
                                                : value.dump();
      table.add({escape_html(name, 200), escape_html(text, 500)});
    }
  }
}

std::string others(const ordered_json& figures) {
  HtmlTable table({"more", ""}, 2);
  add_others(figures, "", table);
  return table.empty() ? "" : table.html("facts");
}

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

// The results of K shots each, as an array or in an object's "results".
ordered_json shots_of(const ordered_json& few_shot) {
  if (few_shot.is_array()) return few_shot;
  if (few_shot.is_object() && few_shot.contains("results") && few_shot["results"].is_array())
    return few_shot["results"];
  return ordered_json::array();
}

// A curve over log2(K + 1), whose error bars are the interval where there is one, else the deviation.
std::string shots_chart(const ordered_json& shots) {
  ChartLine line{.name = "top-1", .points = {}, .dots = true, .whiskers = true};
  std::vector<std::pair<double, std::string>> ticks;
  for (const auto& entry : shots) {
    const auto k = number(entry, "shots"), mean = number(entry, "mean");
    if (!k || !mean) continue;
    const double x = std::log2(*k + 1);
    const double spread = number(entry, "interval").value_or(number(entry, "std").value_or(0));
    line.points.push_back({.x = x, .low = *mean - spread, .mean = *mean, .high = *mean + spread});
    ticks.emplace_back(x, fmt::format("{:.0f}", *k));
  }
  std::ranges::sort(line.points, {}, &CurvePoint::x);
  return line.points.empty()
             ? ""
             : line_chart({.title = "top-1", .unit = "%", .x_name = "clips a class"}, {line}, ticks);
}

}  // namespace

std::string figures_section(const RunRecord& run) {
  const bool evaluated = run.evaluation.is_object();
  const auto& figures = evaluated ? run.evaluation : run.last_validation;
  if (!figures.is_object()) return "";
  auto note = evaluated ? text_at(figures, "split") : std::string("val");
  if (const auto epoch = number(figures, "epoch")) note += fmt::format(", behind epoch {:.0f}", *epoch);
  if (!evaluated) note += ": the last validation of the run";
  if (note.empty()) note = "evaluation.json";
  if (!figures.contains("intervals")) note += "; without intervals, which the figures did not come with";
  return section("figures", "Figures", escape_html(note), cards(figures) + others(figures));
}

std::string zero_shot_section(const RunRecord& run) {
  const auto& json = run.zero_shot;
  if (!json.is_object() || !json.contains("splits") || !json["splits"].is_array()) return "";
  std::string html;
  for (const auto& [name, mean, deviation] :
       {std::tuple("top-1", "top1_mean", "top1_std"), std::tuple("top-5", "top5_mean", "top5_std")}) {
    const auto value = number(json, mean);
    if (!value) continue;
    html += card(
        name, "%", fmt::format("{:.2f}", *value),
        fmt::format("± {:.2f} over {} split(s)", number(json, deviation).value_or(0), json["splits"].size()));
  }
  if (const auto chance = number(json, "chance_top1"))
    html += card("chance", "%", fmt::format("{:.2f}", *chance), "top-1");
  std::string note = fmt::format("{:.0f} labels", number(json, "labels").value_or(0));
  const auto trained = number(json, "labels_trained_on");
  if (trained && *trained > 0) note += fmt::format(", of which the model was trained on {:.0f}", *trained);
  return section("zero-shot", "Zero-shot", note,
                 "<div class=\"cards\">" + html + "</div>\n" + splits_table(json["splits"]));
}

std::string few_shot_section(const RunRecord& run) {
  const auto shots = shots_of(run.few_shot);
  if (shots.empty()) return "";
  HtmlTable table({"clips a class", "seeds", "top-1 (%)", "± std", "each"}, 0);
  for (const auto& entry : shots) {
    std::string each;
    const auto seeds = entry.is_object() && entry.contains("top1") && entry["top1"].is_array()
                           ? entry["top1"]
                           : ordered_json::array();
    for (const auto& value : seeds) {
      if (value.is_number()) each += (each.empty() ? "" : " ") + fmt::format("{:.2f}", value.get<double>());
    }
    table.add({fmt::format("{:.0f}", number(entry, "shots").value_or(0)), fmt::format("{}", seeds.size()),
               fmt::format("{:.2f}", number(entry, "mean").value_or(0)),
               fmt::format("{:.2f}", number(entry, "std").value_or(0)), each});
  }
  return section("few-shot", "Few-shot", "",
                 "<div class=\"charts\">" + shots_chart(shots) + table.html() + "</div>\n");
}

}  // namespace actionclip::detail
