#include "actionclip/eval/calibration.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <vector>

#include <fmt/format.h>

#include "actionclip/core/error.h"
#include "actionclip/eval/metrics.h"

#include "eval/log_probability.h"

namespace actionclip {
namespace {

constexpr std::size_t kBins = 15;
constexpr double kLargestTemperature = 100;

bool is_scored(const ScoredVideo& video) { return video.failure.empty(); }

std::size_t bin_of(double probability) {
  const double place = std::ceil(probability * static_cast<double>(kBins)) - 1;
  return static_cast<std::size_t>(std::clamp(place, 0.0, static_cast<double>(kBins - 1)));
}

// The rows of the videos that have scores, as logarithms.
struct LogScores {
  std::size_t classes = 0;
  std::vector<double> values;  // [N, C]
  std::vector<std::int32_t> label_ids;

  std::span<const double> row(std::size_t i) const {
    return std::span<const double>(values).subspan(i * classes, classes);
  }
};

LogScores log_scores(const VideoScores& scores) {
  LogScores logs{.classes = scores.labels.size()};
  for (std::size_t i = 0; i < scores.videos.size(); ++i) {
    if (!is_scored(scores.videos[i])) continue;
    for (const float probability : scores.row(i)) logs.values.push_back(log_probability(probability));
    logs.label_ids.push_back(scores.videos[i].label_ids.at(0));
  }
  return logs;
}

// Of the loss, summed over the videos, as a function of the inverse temperature: it is convex.
struct Derivatives {
  double first = 0;
  double second = 0;
};

Derivatives derivatives(const LogScores& logs, double inverse) {
  Derivatives sum;
  for (std::size_t i = 0; i < logs.label_ids.size(); ++i) {
    const auto row = logs.row(i);
    const double top = *std::ranges::max_element(row);
    double weights = 0, mean = 0, square = 0;
    for (const double value : row) {
      const double weight = std::exp(inverse * (value - top));
      weights += weight;
      mean += weight * (value - top);
      square += weight * (value - top) * (value - top);
    }
    mean /= weights;
    sum.first += mean - (row[logs.label_ids[i]] - top);
    sum.second += square / weights - mean * mean;
  }
  return sum;
}

// Newton's method, with a bisection in place of any step that leaves the bracket of the root.
double find_root(const LogScores& logs) {
  double low = 1 / kLargestTemperature, high = kLargestTemperature, inverse = 1;
  if (derivatives(logs, low).first >= 0) return low;
  if (derivatives(logs, high).first <= 0) return high;
  constexpr int kMostSteps = 100;
  constexpr double kPrecision = 1e-12;
  for (int step = 0; step < kMostSteps && high - low > kPrecision * high; ++step) {
    const auto [first, second] = derivatives(logs, inverse);
    (first < 0 ? low : high) = inverse;
    double next = second > 0 ? inverse - first / second : low;
    if (std::abs(next - inverse) <= kPrecision * inverse) return next;
    if (!(next > low && next < high)) next = std::sqrt(low * high);
    inverse = next;
  }
  return inverse;
}

}  // namespace

std::optional<double> calibration_error(const VideoScores& scores) {
  if (scores.multi_label) return std::nullopt;
  std::array<double, kBins> hits{}, probabilities{};
  std::size_t videos = 0;
  for (std::size_t i = 0; i < scores.videos.size(); ++i) {
    if (!is_scored(scores.videos[i])) continue;
    const auto row = scores.row(i);
    const auto top = top_label(row);
    const double probability = row[top];
    const auto bin = bin_of(probability);
    hits[bin] += top == scores.videos[i].label_ids.at(0) ? 1 : 0;
    probabilities[bin] += probability;
    ++videos;
  }
  if (videos == 0) return std::nullopt;
  double distance = 0;
  for (std::size_t bin = 0; bin < kBins; ++bin) distance += std::abs(hits[bin] - probabilities[bin]);
  return 100 * distance / static_cast<double>(videos);
}

double fit_temperature(const VideoScores& scores) {
  if (scores.multi_label)
    throw Error(
        "a temperature is fitted on videos of one label each, and these scores are of a multi-label list");
  const auto logs = log_scores(scores);
  if (logs.label_ids.empty()) throw Error("a temperature cannot be fitted: no video has scores");
  return 1 / find_root(logs);
}

VideoScores with_temperature(VideoScores scores, double temperature) {
  if (!(temperature > 0)) throw std::invalid_argument(fmt::format("temperature {}", temperature));
  const auto classes = scores.labels.size();
  std::vector<double> row(classes);
  for (std::size_t i = 0; i < scores.videos.size(); ++i) {
    if (!is_scored(scores.videos[i])) continue;
    const auto own = std::span(scores.probabilities).subspan(i * classes, classes);
    const double top = log_probability(*std::ranges::max_element(own));
    double sum = 0;
    for (std::size_t c = 0; c < classes; ++c)
      sum += row[c] = std::exp((log_probability(own[c]) - top) / temperature);
    for (std::size_t c = 0; c < classes; ++c) own[c] = static_cast<float>(row[c] / sum);
  }
  return scores;
}

}  // namespace actionclip
