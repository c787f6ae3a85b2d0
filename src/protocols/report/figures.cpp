#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "figure_cards.h"
#include "html.h"
#include "json_values.h"
#include "sections.h"

namespace actionclip::detail {
namespace {

using nlohmann::ordered_json;

// The key of a nested figure ("pairs_by"); what lies in it has names of the user's own, which stay.
std::string in_words(std::string key) {
  std::ranges::replace(key, '_', ' ');
  return key;
}

// Numbers and texts that no card shows, those of objects in it too ("groups verb").
void add_others(const ordered_json& figures, const std::string& prefix, HtmlTable& table) {
  static const std::set<std::string, std::less<>> elsewhere = {
      "top1",   "top5",      "map",           "mean_class_accuracy", "loss",  "ece",  "samples",
      "failed", "intervals", "failed_videos", "per_class",           "split", "step", "protocol"};
  for (const auto& [key, value] : figures.items()) {
    if (prefix.empty() && elsewhere.contains(key)) continue;
    const auto name = prefix.empty() ? key : fmt::format("{} {}", prefix, key);
    if (value.is_object()) {
      add_others(value, prefix.empty() ? in_words(key) : name, table);
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

}  // namespace

std::string figures_section(const RunRecord& run) {
  const bool evaluated = run.evaluation.is_object();
  const auto& figures = evaluated ? run.evaluation : run.last_validation;
  if (!figures.is_object()) return "";
  const auto split = evaluated ? text_at(figures, "split") : std::string("val");
  std::string note = split.empty() ? "Of evaluation.json" : fmt::format("Of the split '{}'", split);
  if (!evaluated)
    note += fmt::format(", behind epoch {:.0f}: the last validation", number(figures, "epoch").value_or(0));
  note += figures.contains("intervals") ? "; with 95 % intervals over draws of its videos." : ".";
  return section("figures", "Figures", escape_html(note),
                 figure_cards(figures) + protocol_notes(figures, "protocol") + others(figures));
}

}  // namespace actionclip::detail
