// Scores of videos that nobody filmed.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "actionclip/core/random.h"
#include "actionclip/eval/video_scores.h"

namespace actionclip {

// Rows that are softmaxes of random numbers, of which the right label's are `skill` larger.
struct RandomScores {
  std::size_t videos = 60;
  std::size_t classes = 9;
  bool multi_label = false;
  double skill = 1;
  std::uint64_t seed = 1;
  std::size_t failed_every = 0;  // each so many videos one fails; 0: none
  std::size_t steps = 0;         // so many values that a score can have, so that some tie; 0: all there are
};

inline std::vector<float> random_row(const RandomScores& options, const ScoredVideo& video,
                                     RandomStream& random) {
  std::vector<double> values;
  double sum = 0;
  for (std::size_t c = 0; c < options.classes; ++c) {
    const bool right = std::ranges::count(video.label_ids, static_cast<std::int32_t>(c)) > 0;
    values.push_back(std::exp(random.normal() + (right ? options.skill : 0)));
    sum += values.back();
  }
  std::vector<float> row;
  for (const double value : values) {
    const double share = value / sum, steps = static_cast<double>(options.steps);
    row.push_back(static_cast<float>(options.steps == 0 ? share : std::round(share * steps) / steps));
  }
  return row;
}

inline VideoScores random_scores_of(const RandomScores& options) {
  VideoScores scores{.multi_label = options.multi_label};
  for (std::size_t c = 0; c < options.classes; ++c) scores.labels.push_back("label " + std::to_string(c));
  // The last class has no video.
  const auto used = static_cast<std::int64_t>(options.classes) - 1;
  for (std::size_t i = 0; i < options.videos; ++i) {
    RandomStream random(options.seed, RandomPurpose::kSynthetic, i);
    ScoredVideo video{.path = "videos/" + std::to_string(i) + ".mp4"};
    const std::int64_t labels = options.multi_label ? random.below(4) : 1;
    for (std::int64_t n = 0; n < labels; ++n) {
      const auto id = static_cast<std::int32_t>(random.below(used));
      if (std::ranges::count(video.label_ids, id) == 0) video.label_ids.push_back(id);
    }
    auto row = random_row(options, video, random);
    if (options.failed_every > 0 && i % options.failed_every == options.failed_every - 1) {
      video.failure = "damaged";
      std::ranges::fill(row, std::numeric_limits<float>::quiet_NaN());
    }
    scores.videos.push_back(std::move(video));
    scores.probabilities.insert(scores.probabilities.end(), row.begin(), row.end());
  }
  return scores;
}

}  // namespace actionclip
