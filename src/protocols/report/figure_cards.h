// Figures as people look for them first: large, each with its interval below.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace actionclip::detail {

// Of 0 digits behind the point, with thousands apart.
std::string shown(double value, int digits);

// All HTML.
std::string card(std::string_view name, std::string_view unit, const std::string& value,
                 const std::string& below);

// One for each of the known figures that `figures` has.
std::string figure_cards(const nlohmann::ordered_json& figures);

}  // namespace actionclip::detail
