#include "actionclip/eval/fuse_scores.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "actionclip/core/error.h"

namespace actionclip {
namespace {

std::string name_of(const VideoScores& scores) {
  const auto list = scores.origin.find("list");
  return list == scores.origin.end() ? "a list without a name" : list->second;
}

[[noreturn]] void refuse(const VideoScores& first, const VideoScores& second, const std::string& what) {
  throw Error(fmt::format("scores of {} and of {} do not go together: {}; give scores of the same videos",
                          name_of(first), name_of(second), what));
}

void require_ratios(std::size_t scores, std::span<const double> ratios) {
  const auto given = fmt::format("ratios {}", fmt::join(ratios, ", "));
  if (scores == 0 || ratios.size() != scores)
    throw Error(fmt::format("{} for {} sets of scores: give one each", given, scores));
  const bool serve = std::ranges::all_of(ratios, [](double r) { return std::isfinite(r) && r >= 0; }) &&
                     std::accumulate(ratios.begin(), ratios.end(), 0.0) > 0;
  if (!serve) throw Error(fmt::format("{}: none may be negative, and one must be above 0", given));
}

// Keeps of `own` what `other` has too.
void keep_common(std::map<std::string, std::string>& own, const std::map<std::string, std::string>& other) {
  std::erase_if(own, [&](const auto& entry) {
    const auto found = other.find(entry.first);
    return found == other.end() || found->second != entry.second;
  });
}

}  // namespace

void require_same_videos(const VideoScores& first, const VideoScores& second) {
  if (first.labels.size() != second.labels.size())
    refuse(first, second, fmt::format("{} and {} labels", first.labels.size(), second.labels.size()));
  for (std::size_t c = 0; c < first.labels.size(); ++c) {
    if (first.labels[c] != second.labels[c])
      refuse(first, second, fmt::format("label {} is '{}' and '{}'", c, first.labels[c], second.labels[c]));
  }
  if (first.multi_label != second.multi_label) refuse(first, second, "only one is of a multi-label list");
  if (first.videos.size() != second.videos.size())
    refuse(first, second, fmt::format("{} and {} videos", first.videos.size(), second.videos.size()));
  for (std::size_t i = 0; i < first.videos.size(); ++i) {
    const auto &own = first.videos[i], &other = second.videos[i];
    if (own.path != other.path)
      refuse(first, second, fmt::format("video {} is {} and {}", i, own.path, other.path));
    if (own.label_ids != other.label_ids)
      refuse(first, second, fmt::format("video {} ({}) has other labels", i, own.path));
  }
}

VideoScores fuse_scores(std::span<const VideoScores> scores, std::span<const double> ratios) {
  require_ratios(scores.size(), ratios);
  const double whole = std::accumulate(ratios.begin(), ratios.end(), 0.0);
  VideoScores fused = scores.front();
  std::vector<double> sums(fused.probabilities.size());
  for (std::size_t s = 0; s < scores.size(); ++s) {
    require_same_videos(scores.front(), scores[s]);
    keep_common(fused.origin, scores[s].origin);
    for (std::size_t i = 0; i < sums.size(); ++i)
      sums[i] += ratios[s] / whole * static_cast<double>(scores[s].probabilities[i]);
    for (std::size_t i = 0; i < fused.videos.size(); ++i) {
      if (fused.videos[i].failure.empty()) fused.videos[i].failure = scores[s].videos[i].failure;
    }
  }
  std::ranges::transform(sums, fused.probabilities.begin(), [](double p) { return static_cast<float>(p); });
  return fused;
}

}  // namespace actionclip
