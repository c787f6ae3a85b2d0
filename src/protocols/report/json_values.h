// What JSON files of a run hold, as far as they hold what is expected.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

namespace actionclip::detail {

// A number of `json`; none if it is anything else, or not finite.
std::optional<double> number(const nlohmann::ordered_json& json, std::string_view key);

// The two numbers in an array; none if it is anything else.
std::optional<std::pair<double, double>> pair_at(const nlohmann::ordered_json& json, std::string_view key);

// The two numbers that figures["intervals"] has for `key`; none if it has not.
std::optional<std::pair<double, double>> interval_at(const nlohmann::ordered_json& figures,
                                                     std::string_view key);

// A text of `json`; empty if it is anything else.
std::string text_at(const nlohmann::ordered_json& json, std::string_view key);

// An array of `json`; an empty one if it is anything else.
nlohmann::ordered_json array_at(const nlohmann::ordered_json& json, std::string_view key);

}  // namespace actionclip::detail
