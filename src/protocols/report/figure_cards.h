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

// What the scores are of: the protocol in `protocol` (to_json(ProtocolMatch)), its list's hash, and what
// tells the list from another one of that name; empty if it is nothing of the kind.
std::string protocol_note(const nlohmann::ordered_json& protocol);

// Of the member of that name, or of each in it if it is an array.
std::string protocol_notes(const nlohmann::ordered_json& results, const char* key);

}  // namespace actionclip::detail
