#include "actionclip/eval/figures.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <numeric>
#include <span>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include "actionclip/eval/average_precision.h"
#include "actionclip/eval/fuse_scores.h"

#include "eval/log_probability.h"

namespace actionclip {
namespace {

constexpr std::int64_t kTopK = 5;

// A figure, and its value in each draw.
struct DrawnFigure {
  std::string name;
  double percent = 0;
  std::vector<double> draws;
};

// Percent.
DrawnValues scaled(DrawnValues values, double factor) {
  for (auto& value : values) value *= 100 * factor;
  return values;
}

// Sums over classes, of which each draw has some.
DrawnValues mean_of_classes(const DrawnValues& sums, const DrawnValues& classes) {
  DrawnValues means{};
  for (std::size_t d = 0; d < kDrawsAtOnce; ++d) means[d] = classes[d] > 0 ? 100 * sums[d] / classes[d] : 0;
  return means;
}

// Whether each video is right, sorted by class.
struct Answer {
  std::int32_t label_id = 0;
  std::uint32_t video = 0;
  bool top1 = false;
  bool top5 = false;
};

std::vector<Answer> answers_of(const VideoScores& scores) {
  std::vector<Answer> answers;
  for (std::size_t i = 0; i < scores.videos.size(); ++i) {
    const auto label_id = scores.videos[i].label_ids.at(0);
    const auto row = scores.row(i);
    const bool failed = !scores.videos[i].failure.empty();
    const auto rank = failed ? std::numeric_limits<std::int64_t>::max() : rank_of_label(row, label_id);
    const bool scored = !failed && top_label(row) >= 0;
    answers.push_back({label_id, static_cast<std::uint32_t>(i), scored && rank == 0, scored && rank < kTopK});
  }
  std::ranges::stable_sort(answers, {}, &Answer::label_id);
  return answers;
}

using LaneCounts = std::array<std::uint32_t, kDrawsAtOnce>;

void add_lanes(LaneCounts& sums, const std::uint8_t* counts) {
  for (std::size_t d = 0; d < kDrawsAtOnce; ++d) sums[d] += counts[d];
}

// top-1, top-5 and mean class accuracy of draws.
std::vector<DrawnValues> drawn_accuracies(const std::vector<Answer>& answers, DrawCounts counts) {
  DrawnValues top1{}, class_sums{}, classes{};
  LaneCounts top5{}, class_hits{}, class_videos{};
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto& answer = answers[i];
    const auto* own = counts.data() + answer.video * kDrawsAtOnce;
    add_lanes(class_videos, own);
    if (answer.top1) add_lanes(class_hits, own);
    if (answer.top5) add_lanes(top5, own);
    if (i + 1 < answers.size() && answers[i + 1].label_id == answer.label_id) continue;
    for (std::size_t d = 0; d < kDrawsAtOnce; ++d) {
      top1[d] += class_hits[d];
      if (class_videos[d] == 0) continue;
      class_sums[d] += static_cast<double>(class_hits[d]) / static_cast<double>(class_videos[d]);
      classes[d] += 1;
    }
    class_hits.fill(0);
    class_videos.fill(0);
  }
  DrawnValues top5_hits{};
  std::ranges::copy(top5, top5_hits.begin());
  const double share = 1 / static_cast<double>(answers.size());
  return {scaled(top1, share), scaled(top5_hits, share), mean_of_classes(class_sums, classes)};
}

std::vector<DrawnFigure> draw_accuracies(const VideoScores& scores) {
  const auto metrics = metrics_of(scores);
  const auto answers = answers_of(scores);
  auto draws =
      bootstrap(answers.size(), [&](DrawCounts counts) { return drawn_accuracies(answers, counts); });
  return {{"top1", metrics.top1(), std::move(draws[0])},
          {"top5", metrics.top5(), std::move(draws[1])},
          {"mean_class_accuracy", metrics.mean_class_accuracy(), std::move(draws[2])}};
}

std::vector<DrawnFigure> draw_precision(const VideoScores& scores) {
  const auto rankings = rank_videos(scores);
  auto draws = bootstrap(scores.videos.size(), [&](DrawCounts counts) -> std::vector<DrawnValues> {
    DrawnValues sums{}, classes{};
    for (const auto& ranking : rankings) ranking.add_drawn(counts, sums, classes);
    return {mean_of_classes(sums, classes)};
  });
  return {{"map", 100 * mean_average_precision(rankings), std::move(draws[0])}};
}

std::vector<DrawnFigure> draw_figures(const VideoScores& scores) {
  if (scores.videos.empty()) throw std::invalid_argument("figures of no video");
  return scores.multi_label ? draw_precision(scores) : draw_accuracies(scores);
}

}  // namespace

std::string title_of(const Figure& figure) {
  static const std::map<std::string, const char*> kTitles = {
      {"top1", "top-1 (%)"},
      {"top5", "top-5 (%)"},
      {"mean_class_accuracy", "mean class accuracy (%)"},
      {"map", "mAP (%)"}};
  return kTitles.at(figure.name);
}

std::vector<Figure> figures_of(const VideoScores& scores) {
  std::vector<Figure> figures;
  for (auto& [name, percent, draws] : draw_figures(scores))
    figures.push_back({name, percent, interval_of(std::move(draws))});
  return figures;
}

std::vector<Figure> figure_differences(const VideoScores& first, const VideoScores& second) {
  require_same_videos(first, second);
  auto figures = draw_figures(second);
  const auto others = draw_figures(first);
  std::vector<Figure> differences;
  for (std::size_t f = 0; f < figures.size(); ++f) {
    auto& draws = figures[f].draws;
    std::ranges::transform(draws, others[f].draws, draws.begin(), std::minus<>());
    differences.push_back(
        {figures[f].name, figures[f].percent - others[f].percent, interval_of(std::move(draws))});
  }
  return differences;
}

bool is_more_than_chance(const Figure& difference) {
  return difference.interval.low > 0 || difference.interval.high < 0;
}

ClassificationMetrics metrics_of(const VideoScores& scores) {
  ClassificationMetrics metrics(static_cast<std::int64_t>(scores.labels.size()));
  if (scores.multi_label) return metrics;
  for (std::size_t i = 0; i < scores.videos.size(); ++i) {
    const auto& video = scores.videos[i];
    if (video.failure.empty()) {
      metrics.add(scores.row(i), video.label_ids.at(0));
    } else {
      metrics.add_failed(video.label_ids.at(0));
    }
  }
  return metrics;
}

double mean_loss(const VideoScores& scores) {
  double sum = 0;
  std::int64_t counted = 0;
  for (std::size_t i = 0; i < scores.videos.size(); ++i) {
    const auto& ids = scores.videos[i].label_ids;
    if (!scores.videos[i].failure.empty() || ids.empty()) continue;
    const auto row = scores.row(i);
    double own = 0;
    for (const auto label_id : ids) own -= log_probability(row[label_id]);
    sum += own / static_cast<double>(ids.size());
    ++counted;
  }
  return counted > 0 ? sum / static_cast<double>(counted) : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace actionclip
