#include "figure_cards.h"

#include <array>

#include <fmt/format.h>

#include "html.h"
#include "json_values.h"

namespace actionclip::detail {
namespace {

// How a figure is shown.
struct ShownFigure {
  const char* key;
  const char* name;
  const char* unit;
  int digits;
};
constexpr std::array<ShownFigure, 7> kFigures = {{{"top1", "top-1", "%", 2},
                                                  {"top5", "top-5", "%", 2},
                                                  {"map", "mAP", "%", 2},
                                                  {"mean_class_accuracy", "mean class accuracy", "%", 2},
                                                  {"loss", "loss", "", 4},
                                                  {"ece", "calibration error", "%", 2},
                                                  {"samples", "videos", "", 0}}};

}  // namespace

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

std::string figure_cards(const nlohmann::ordered_json& figures) {
  std::string html;
  for (const auto& figure : kFigures) {
    const auto value = number(figures, figure.key);
    if (!value) continue;
    std::string below;
    if (const auto interval = interval_at(figures, figure.key)) {
      below = fmt::format("95 %: {} – {}", shown(interval->first, figure.digits),
                          shown(interval->second, figure.digits));
    } else if (const auto failed = number(figures, "failed");
               failed && figure.key == std::string_view("samples")) {
      below = *failed > 0 ? grouped(*failed) + " failed, count as wrong" : "none failed";
    }
    html += card(figure.name, figure.unit, shown(*value, figure.digits), below);
  }
  return "<div class=\"cards\">" + html + "</div>\n";
}

std::string protocol_note(const nlohmann::ordered_json& protocol) {
  constexpr std::size_t kMaxText = 1000;
  const auto name = text_at(protocol, "name");
  if (name.empty()) return "";
  std::string differences;
  if (const auto found = protocol.find("differences"); found != protocol.end() && found->is_array()) {
    for (const auto& difference : *found) {
      if (difference.is_string())
        differences += (differences.empty() ? "" : "; ") + difference.get<std::string>();
    }
  }
  const bool proven = protocol.value("proven", nlohmann::ordered_json(false)) == true;
  const auto verdict = !differences.empty() ? "<strong>the list is another one</strong>: "
                       : proven             ? "the list matches"
                                            : "nothing tells the list from it, but its hash is not pinned";
  return fmt::format(
      "<p class=\"note\">Protocol <code>{}</code>: {}{}. Its list's SHA-256: <code>{}</code></p>\n",
      escape_html(name, kMaxText), verdict, escape_html(differences, kMaxText),
      escape_html(text_at(protocol, "sha256"), kMaxText));
}

std::string protocol_notes(const nlohmann::ordered_json& results, const char* key) {
  if (!results.is_object() || !results.contains(key)) return "";
  const auto& protocols = results.at(key);
  if (!protocols.is_array()) return protocol_note(protocols);
  std::string html;
  for (const auto& protocol : protocols) html += protocol_note(protocol);
  return html;
}

}  // namespace actionclip::detail
