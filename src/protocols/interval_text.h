// The 95 % interval of a mean over seeds, for JSON and tables.
#pragma once

#include <optional>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace actionclip {

// [low, high]; null without a margin, as of one seed.
inline nlohmann::ordered_json interval_json(double mean, const std::optional<double>& margin) {
  if (!margin) return nullptr;
  return {mean - *margin, mean + *margin};
}

// "-" without a margin.
inline std::string margin_text(const std::optional<double>& margin) {
  return margin ? fmt::format("{:.2f}", *margin) : "-";
}

}  // namespace actionclip
