#include "choose_examples.h"

#include <algorithm>
#include <map>
#include <utility>

#include "actionclip/eval/metrics.h"

namespace actionclip::detail {
namespace {

// Those of which each class has one first, then those of which it has a second, and so on; else in order.
void spread_over_classes(std::vector<Candidate>& candidates, const VideoScores& scores) {
  std::map<std::int32_t, std::size_t> seen;
  std::vector<std::pair<std::size_t, Candidate>> turns;
  for (const auto& candidate : candidates)
    turns.emplace_back(seen[scores.videos[candidate.video].label_ids.front()]++, candidate);
  std::ranges::stable_sort(turns, {}, &std::pair<std::size_t, Candidate>::first);
  for (std::size_t i = 0; i < turns.size(); ++i) candidates[i] = turns[i].second;
}

// Of a sorted list: `most` at equal distances, the ends among them.
std::vector<Candidate> at_equal_distances(const std::vector<Candidate>& sorted, std::size_t most) {
  if (sorted.size() <= most || most < 2) return sorted;
  std::vector<Candidate> chosen;
  for (std::size_t i = 0; i < most; ++i) chosen.push_back(sorted[i * (sorted.size() - 1) / (most - 1)]);
  return chosen;
}

}  // namespace

Candidates choose_examples(const VideoScores& scores, std::size_t most) {
  Candidates found;
  for (std::size_t i = 0; i < scores.videos.size(); ++i) {
    const auto& video = scores.videos[i];
    if (!video.failure.empty() || video.label_ids.empty()) continue;
    const auto row = scores.row(i);
    const auto top = top_label(row);
    if (top < 0) continue;
    Candidate candidate{.video = i,
                        .predicted = top,
                        .probability = row[static_cast<std::size_t>(top)],
                        .truth_probability = 1};
    for (const auto id : video.label_ids)
      candidate.truth_probability =
          std::min<double>(candidate.truth_probability, row[static_cast<std::size_t>(id)]);
    const bool right = std::ranges::find(video.label_ids, top) != video.label_ids.end();
    (right ? found.right : found.wrong).push_back(candidate);
  }
  for (auto* kind : {&found.right, &found.wrong}) {
    std::ranges::stable_sort(*kind,
                             [](const auto& a, const auto& b) { return a.probability > b.probability; });
  }
  found.right = at_equal_distances(found.right, most);
  for (auto* kind : {&found.right, &found.wrong}) {
    spread_over_classes(*kind, scores);
    if (kind->size() > most) kind->resize(most);
  }
  return found;
}

}  // namespace actionclip::detail
