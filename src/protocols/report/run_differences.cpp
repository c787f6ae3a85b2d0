// What two runs differ by, and whether that is more than chance.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/error.h"
#include "actionclip/core/statistics.h"
#include "actionclip/protocols/compare.h"

#include "json_values.h"

namespace actionclip {
namespace {

using detail::number;
using nlohmann::ordered_json;

// Lists of one name can differ: the hashes tell, where both scores have one.
bool lists_differ(const VideoScores& first, const VideoScores& second) {
  const auto hash = [](const VideoScores& scores) {
    const auto found = scores.origin.find("list_sha256");
    return found == scores.origin.end() ? std::string() : found->second;
  };
  const auto a = hash(first), b = hash(second);
  return !a.empty() && !b.empty() && a != b;
}

// By a paired bootstrap over the videos.
void take_scores(const VideoScores& first, const VideoScores& second, RunDifference& difference) {
  if (lists_differ(first, second)) {
    difference.unknown = "they are scores of different lists";
    return;
  }
  try {
    difference.figures = figure_differences(first, second);
  } catch (const Error& problem) {
    difference.unknown = problem.what();
  }
}

// The place of a seed's value in a row, by seed.
std::map<std::int64_t, std::size_t> places_of_seeds(const ordered_json& results) {
  std::map<std::int64_t, std::size_t> places;
  const auto seeds = detail::array_at(results, "seeds");
  for (std::size_t i = 0; i < seeds.size(); ++i) {
    if (seeds[i].is_number_integer()) places[seeds[i].get<std::int64_t>()] = i;
  }
  return places;
}

std::optional<double> value_at(const ordered_json& values, std::size_t place) {
  if (!values.is_array() || place >= values.size() || !values[place].is_number()) return std::nullopt;
  return values[place].get<double>();
}

// Of a score of both (an array, by seed): the mean of the differences, seed by seed, and Student's interval.
// None where fewer than two seeds are in both.
std::optional<Figure> difference_over_seeds(const std::string& name, const ordered_json& first,
                                            const ordered_json& second,
                                            const std::vector<std::pair<std::size_t, std::size_t>>& places) {
  std::vector<double> differences;
  for (const auto& [a, b] : places) {
    const auto one = value_at(first, a), other = value_at(second, b);
    if (one && other) differences.push_back(*other - *one);
  }
  const auto margin = margin_of(differences);
  if (!margin) return std::nullopt;
  const double mean = mean_of(differences);
  return Figure{.name = name, .percent = mean, .interval = {.low = mean - *margin, .high = mean + *margin}};
}

// The values of a score in a row: {"top1": [...]} of few-shot, {"base": {"values": [...]}} of base-to-novel.
ordered_json values_of(const ordered_json& row, const std::string& score) {
  const auto found = row.value(score, ordered_json());
  return found.is_object() ? found.value("values", ordered_json()) : found;
}

// The row of that K; null if there is none.
ordered_json row_of(const ordered_json& results, double shots) {
  for (const auto& row : detail::array_at(results, "rows")) {
    if (row.is_object() && number(row, "shots") == shots) return row;
  }
  return {};
}

// Why the scores of two runs are of different things; empty if they are not.
std::string why_not_alike(const ordered_json& first, const ordered_json& second) {
  const auto one = detail::text_at(first, "list_sha256"), other = detail::text_at(second, "list_sha256");
  if (one.empty() || other.empty()) return "they do not tell which test list they are of";
  if (one != other) return "their test lists are different ones";
  for (const char* labels : {"base_labels", "novel_labels"}) {
    if (detail::array_at(first, labels) != detail::array_at(second, labels))
      return "their base and novel classes are others";
  }
  return "";
}

// One for each K of both, of the runs of a protocol on K clips a class.
void add_shots(const ordered_json& first, const ordered_json& second, const char* protocol,
               const std::vector<std::string>& scores, const RunDifference& pair,
               std::vector<RunDifference>& differences) {
  if (!first.is_object() || !second.is_object()) return;
  std::vector<std::pair<std::size_t, std::size_t>> places;
  const auto second_places = places_of_seeds(second);
  for (const auto& [seed, place] : places_of_seeds(first)) {
    if (const auto found = second_places.find(seed); found != second_places.end())
      places.emplace_back(place, found->second);
  }
  const auto reason = why_not_alike(first, second);
  for (const auto& row : detail::array_at(first, "rows")) {
    const auto shots = row.is_object() ? number(row, "shots") : std::nullopt;
    const auto other = shots && *shots > 0 ? row_of(second, *shots) : ordered_json();  // 0: no seed counts
    if (!other.is_object()) continue;
    RunDifference difference = pair;
    difference.scored = fmt::format("{}, {:.0f} clips a class", protocol, *shots);
    for (const auto& score : scores) {
      if (!reason.empty()) break;
      if (auto figure = difference_over_seeds(score, values_of(row, score), values_of(other, score), places))
        difference.figures.push_back(std::move(*figure));
    }
    difference.unknown = reason;
    if (reason.empty() && difference.figures.empty())
      difference.unknown = "they have fewer than two seeds in common";
    differences.push_back(std::move(difference));
  }
}

// The name of a zero-shot split's list, or its number.
std::string split_name(const VideoScores& scores, std::size_t number) {
  const auto list = scores.origin.find("list");
  return fmt::format("zero-shot, {}",
                     list == scores.origin.end() ? fmt::format("split {}", number + 1) : list->second);
}

// One for each list that both scored.
void add_zero_shot(const RunRecord& first, const RunRecord& second, const RunDifference& pair,
                   std::vector<RunDifference>& differences) {
  std::set<std::size_t> used;
  for (std::size_t i = 0; i < first.zero_shot_scores.size(); ++i) {
    const auto& scores = first.zero_shot_scores[i];
    for (std::size_t k = 0; k < second.zero_shot_scores.size(); ++k) {
      const auto& others = second.zero_shot_scores[k];
      if (used.contains(k) || lists_differ(scores, others)) continue;
      used.insert(k);
      differences.push_back(pair);
      differences.back().scored = split_name(scores, i);
      take_scores(scores, others, differences.back());
      break;
    }
  }
}

void add_differences(const std::vector<RunRecord>& runs, const RunDifference& pair,
                     std::vector<RunDifference>& differences) {
  const auto& first = runs[pair.first];
  const auto& second = runs[pair.second];
  const auto before = differences.size();
  if (first.scores && second.scores) {
    differences.push_back(pair);
    take_scores(*first.scores, *second.scores, differences.back());
  }
  add_zero_shot(first, second, pair, differences);
  add_shots(first.few_shot, second.few_shot, "few-shot", {"top1"}, pair, differences);
  add_shots(first.base_to_novel, second.base_to_novel, "base to novel", {"base", "novel", "harmonic"}, pair,
            differences);
  if (differences.size() > before) return;
  differences.push_back(pair);
  differences.back().unknown = fmt::format(
      "{} and {} hold no scores of the same kind (scores.safetensors of evaluate --output, or the results of "
      "zero-shot, few-shot or base-to-novel)",
      first.folder.string(), second.folder.string());
}

}  // namespace

std::vector<RunDifference> differences_of(const std::vector<RunRecord>& runs) {
  std::vector<RunDifference> differences;
  for (std::size_t first = 0; first < runs.size(); ++first) {
    for (std::size_t second = first + 1; second < runs.size(); ++second)
      add_differences(runs, {.first = first, .second = second}, differences);
  }
  return differences;
}

}  // namespace actionclip
