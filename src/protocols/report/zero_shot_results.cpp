// The section of what zero-shot measured.
#include <algorithm>
#include <cstddef>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "figure_cards.h"
#include "html.h"
#include "json_values.h"
#include "sections.h"

namespace actionclip::detail {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kMaxOverlaps = 5;  // of splits, with labels of their own each
constexpr std::size_t kMaxPairs = 200;   // labels of either kind
constexpr std::size_t kMaxLabel = 120;   // bytes
constexpr std::size_t kMaxList = 300;    // bytes

std::string list_cell(const ordered_json& split) { return escape_html(text_at(split, "list"), kMaxList); }

// With its interval where the split has one.
std::string figure_cell(const ordered_json& figures, const char* key, int digits) {
  const auto value = number(figures, key);
  if (!value) return "–";
  const auto interval = interval_at(figures, key);
  return shown(*value, digits) +
         (interval ? fmt::format(" <small>[{}, {}]</small>", shown(interval->first, digits),
                                 shown(interval->second, digits))
                   : "");
}

std::string splits_table(const ordered_json& splits) {
  const bool multi_label =
      std::ranges::any_of(splits, [](const auto& split) { return number(split, "map").has_value(); });
  std::vector<std::pair<const char*, const char*>> figures = {{"top1", "top-1 (%)"}, {"top5", "top-5 (%)"}};
  if (multi_label) figures = {{"map", "mAP (%)"}};
  std::vector<std::string> header = {"list", "videos", "failed"};
  for (const auto& [key, name] : figures) header.emplace_back(name);
  header.emplace_back("loss");
  HtmlTable table(header, 1);
  for (const auto& split : splits) {
    std::vector<std::string> cells = {list_cell(split), figure_cell(split, "samples", 0),
                                      figure_cell(split, "failed", 0)};
    for (const auto& [key, name] : figures) cells.push_back(figure_cell(split, key, 2));
    cells.push_back(figure_cell(split, "loss", 4));
    table.add(cells);
  }
  return table.html();
}

std::string strict_table(const ordered_json& splits) {
  HtmlTable table({"list", "videos", "top-1 (%)", "top-5 (%)", "labels left", "top-1 among them (%)",
                   "top-5 among them (%)"},
                  1);
  for (const auto& split : splits) {
    if (!split.is_object()) continue;
    const auto strict = split.find("strict");
    if (strict == split.end() || !strict->is_object()) continue;
    table.add({list_cell(split), figure_cell(*strict, "videos", 0), figure_cell(*strict, "top1", 2),
               figure_cell(*strict, "top5", 2), figure_cell(*strict, "labels", 0),
               figure_cell(*strict, "top1_of_left", 2), figure_cell(*strict, "top5_of_left", 2)});
  }
  if (table.empty()) return "";
  return "<h3>Without the labels that were trained on</h3>\n" + table.html();
}

// Folded up. `what`: of the labels, for the line that unfolds them.
std::string pairs_table(const ordered_json& pairs, const std::string& what) {
  if (pairs.empty()) return "";
  const bool alike =
      std::ranges::any_of(pairs, [](const auto& pair) { return number(pair, "similarity").has_value(); });
  std::vector<std::string> header = {"label", "trained on as"};
  if (alike) header.emplace_back("similarity");
  HtmlTable table(header, 2);
  for (std::size_t i = 0; i < std::min(pairs.size(), kMaxPairs); ++i) {
    std::vector<std::string> cells = {escape_html(text_at(pairs[i], "label"), kMaxLabel),
                                      escape_html(text_at(pairs[i], "trained"), kMaxLabel)};
    if (alike) cells.push_back(figure_cell(pairs[i], "similarity", 3));
    table.add(cells);
  }
  std::string more;
  if (pairs.size() > kMaxPairs) {
    more = fmt::format("<p class=\"note\">And {} more.</p>\n",
                       grouped(static_cast<double>(pairs.size() - kMaxPairs)));
  }
  return fmt::format("<details><summary>{} {}</summary>\n{}{}</details>\n",
                     grouped(static_cast<double>(pairs.size())), what, table.html(), more);
}

// Splits of the same labels share a table, which names their lists.
std::string overlaps(const ordered_json& splits) {
  std::vector<std::pair<ordered_json, std::string>> different;
  for (const auto& split : splits) {
    if (!split.is_object() || !split.contains("trained")) continue;
    const auto& trained = split["trained"];
    const auto known = std::ranges::find(different, trained, &std::pair<ordered_json, std::string>::first);
    if (known == different.end()) {
      different.emplace_back(trained, list_cell(split));
    } else if (known->second.size() < kMaxList) {
      known->second += ", " + list_cell(split);
    }
  }
  std::string html;
  for (std::size_t i = 0; i < std::min(different.size(), kMaxOverlaps); ++i) {
    const auto& [trained, lists] = different[i];
    html += pairs_table(array_at(trained, "same"), "labels that were trained on: " + lists);
    html += pairs_table(array_at(trained, "near"), "labels near to one that was trained on: " + lists);
  }
  if (different.size() > kMaxOverlaps) {
    html += fmt::format("<p class=\"note\">Those of {} more sets of labels are left out.</p>\n",
                        different.size() - kMaxOverlaps);
  }
  return html;
}

// A mean of one split has no spread.
std::string below_mean(const ordered_json& json, const char* deviation, std::size_t splits) {
  if (splits == 1) return "1 split";
  const auto value = number(json, deviation);
  return value ? fmt::format("± {:.2f} over {} splits", *value, splits) : fmt::format("{} splits", splits);
}

std::string cards_of(const ordered_json& json) {
  std::string html;
  for (const auto& [name, mean, deviation] :
       {std::tuple("top-1", "top1_mean", "top1_std"), std::tuple("top-5", "top5_mean", "top5_std"),
        std::tuple("mAP", "map_mean", "map_std"),
        std::tuple("strict top-1", "strict_top1_mean", "strict_top1_std"),
        std::tuple("strict, others alone", "strict_top1_of_left_mean", "strict_top1_of_left_std")}) {
    if (const auto value = number(json, mean)) {
      html +=
          card(name, "%", fmt::format("{:.2f}", *value), below_mean(json, deviation, json["splits"].size()));
    }
  }
  if (const auto chance = number(json, "chance_top1"))
    html += card("chance", "%", fmt::format("{:.2f}", *chance), "top-1");
  return "<div class=\"cards\">" + html + "</div>\n";
}

}  // namespace

std::string zero_shot_section(const RunRecord& run) {
  const auto& json = run.zero_shot;
  if (!json.is_object() || !json.contains("splits") || !json["splits"].is_array()) return "";
  const auto& splits = json["splits"];
  std::string protocols;
  for (const auto& split : splits) protocols += protocol_notes(split, "protocol");
  std::string note;
  if (const auto labels = number(json, "labels")) note = fmt::format("{:.0f} labels", *labels);
  const auto trained = number(json, "labels_trained_on");
  if (trained && *trained > 0) note += fmt::format(", of which the model was trained on {:.0f}", *trained);
  return section("zero-shot", "Zero-shot", note,
                 cards_of(json) + splits_table(splits) + protocols + strict_table(splits) + overlaps(splits));
}

}  // namespace actionclip::detail
