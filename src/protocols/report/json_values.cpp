#include "json_values.h"

#include <cmath>

namespace actionclip::detail {

std::optional<double> number(const nlohmann::ordered_json& json, std::string_view key) {
  if (!json.is_object()) return std::nullopt;
  const auto value = json.find(key);
  if (value == json.end() || !value->is_number() || !std::isfinite(value->get<double>())) return std::nullopt;
  return value->get<double>();
}

std::optional<std::pair<double, double>> pair_at(const nlohmann::ordered_json& json, std::string_view key) {
  if (!json.is_object() || !json.contains(key)) return std::nullopt;
  const auto& pair = json.find(key).value();
  if (!pair.is_array() || pair.size() != 2 || !pair[0].is_number() || !pair[1].is_number())
    return std::nullopt;
  return std::pair(pair[0].get<double>(), pair[1].get<double>());
}

std::optional<std::pair<double, double>> interval_at(const nlohmann::ordered_json& figures,
                                                     std::string_view key) {
  if (!figures.is_object() || !figures.contains("intervals")) return std::nullopt;
  return pair_at(figures["intervals"], key);
}

std::string text_at(const nlohmann::ordered_json& json, std::string_view key) {
  if (!json.is_object()) return "";
  const auto value = json.find(key);
  return value != json.end() && value->is_string() ? value->get<std::string>() : "";
}

nlohmann::ordered_json array_at(const nlohmann::ordered_json& json, std::string_view key) {
  if (json.is_object()) {
    if (const auto found = json.find(key); found != json.end() && found->is_array()) return *found;
  }
  return nlohmann::ordered_json::array();
}

}  // namespace actionclip::detail
