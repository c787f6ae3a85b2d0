#include "actionclip/eval/metrics.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

namespace actionclip {
namespace {

constexpr std::int64_t kTopK = 5;

double percentage(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0 : 100 * static_cast<double>(part) / static_cast<double>(whole);
}

bool has_nan(std::span<const float> scores) {
  return std::any_of(scores.begin(), scores.end(), [](float score) { return std::isnan(score); });
}

void check_label_id(std::int64_t label_id, std::size_t classes) {
  if (label_id < 0 || static_cast<std::size_t>(label_id) >= classes) {
    throw std::invalid_argument(fmt::format("label_id {} is outside 0..{}", label_id, classes - 1));
  }
}

void check_scores(std::span<const float> scores, std::size_t classes) {
  if (scores.size() != classes) {
    throw std::invalid_argument(fmt::format("{} scores for {} classes", scores.size(), classes));
  }
}

}  // namespace

std::int64_t top_label(std::span<const float> scores) {
  if (scores.empty()) throw std::invalid_argument("no scores");
  if (has_nan(scores)) return -1;
  return std::max_element(scores.begin(), scores.end()) - scores.begin();
}

std::int64_t rank_of_label(std::span<const float> scores, std::int64_t label_id) {
  check_label_id(label_id, scores.size());
  if (has_nan(scores)) return static_cast<std::int64_t>(scores.size());
  const auto label = scores.begin() + label_id;
  const auto tied_before = std::count(scores.begin(), label, *label);
  return tied_before +
         std::count_if(scores.begin(), scores.end(), [&](float score) { return score > *label; });
}

ClassificationMetrics::ClassificationMetrics(std::int64_t classes) : classes_(classes) {
  if (classes <= 0) throw std::invalid_argument(fmt::format("{} classes", classes));
  counts_.resize(static_cast<std::size_t>(classes * classes + 2 * classes));
}

void ClassificationMetrics::add(std::span<const float> scores, std::int64_t label_id) {
  check_label(label_id);
  check_scores(scores, static_cast<std::size_t>(classes_));
  const auto predicted = top_label(scores);
  if (predicted < 0) {
    add_failed(label_id);
    return;
  }
  ++counts_[label_id * classes_ + predicted];
  if (rank_of_label(scores, label_id) < kTopK) ++counts_[classes_ * classes_ + classes_ + label_id];
}

void ClassificationMetrics::add_failed(std::int64_t label_id) {
  check_label(label_id);
  ++counts_[classes_ * classes_ + label_id];
}

double ClassificationMetrics::top1() const {
  std::int64_t hits = 0;
  for (std::int64_t c = 0; c < classes_; ++c) hits += confusion(c, c);
  return percentage(hits, samples());
}

double ClassificationMetrics::top5() const {
  const std::int64_t hits = std::accumulate(counts_.end() - classes_, counts_.end(), std::int64_t{0});
  return percentage(hits, samples());
}

double ClassificationMetrics::mean_class_accuracy() const {
  double sum = 0;
  std::int64_t counted = 0;
  for (const auto& accuracy : per_class()) {
    if (accuracy.samples == 0) continue;
    sum += accuracy.top1;
    ++counted;
  }
  return counted == 0 ? 0 : sum / static_cast<double>(counted);
}

std::int64_t ClassificationMetrics::samples() const {
  return std::accumulate(counts_.begin(), counts_.end() - classes_, std::int64_t{0});
}

std::int64_t ClassificationMetrics::failed() const {
  return std::accumulate(counts_.end() - 2 * classes_, counts_.end() - classes_, std::int64_t{0});
}

ClassAccuracy ClassificationMetrics::of_class(std::int64_t label_id) const {
  check_label(label_id);
  const auto row = counts_.begin() + label_id * classes_;
  ClassAccuracy accuracy;
  accuracy.failed = counts_[classes_ * classes_ + label_id];
  accuracy.samples = std::accumulate(row, row + classes_, accuracy.failed);
  accuracy.top1 = percentage(row[label_id], accuracy.samples);
  accuracy.top5 = percentage(counts_[classes_ * classes_ + classes_ + label_id], accuracy.samples);
  return accuracy;
}

std::vector<ClassAccuracy> ClassificationMetrics::per_class() const {
  std::vector<ClassAccuracy> table;
  table.reserve(static_cast<std::size_t>(classes_));
  for (std::int64_t c = 0; c < classes_; ++c) table.push_back(of_class(c));
  return table;
}

std::int64_t ClassificationMetrics::confusion(std::int64_t label_id, std::int64_t predicted) const {
  check_label(label_id);
  check_label(predicted);
  return counts_[label_id * classes_ + predicted];
}

void ClassificationMetrics::check_label(std::int64_t label_id) const {
  check_label_id(label_id, static_cast<std::size_t>(classes_));
}

double HitCounts::percent() const {
  const auto videos = counts_.begin() + static_cast<std::ptrdiff_t>(classes());
  return percentage(std::accumulate(counts_.begin(), videos, std::int64_t{0}), samples());
}

std::int64_t HitCounts::samples() const {
  const auto videos = counts_.begin() + static_cast<std::ptrdiff_t>(classes());
  return std::accumulate(videos, counts_.end(), std::int64_t{0});
}

std::map<std::string, double> HitCounts::percent_by(std::span<const std::string> group_of_label) const {
  if (group_of_label.size() != classes()) {
    throw std::invalid_argument(
        fmt::format("groups of {} labels for {} classes", group_of_label.size(), classes()));
  }
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> sums;
  for (std::size_t c = 0; c < classes(); ++c) {
    sums[group_of_label[c]].first += counts_[c];
    sums[group_of_label[c]].second += counts_[classes() + c];
  }
  std::map<std::string, double> percents;
  for (const auto& [group, sum] : sums) {
    if (sum.second > 0) percents[group] = percentage(sum.first, sum.second);
  }
  return percents;
}

void HitCounts::count(std::int64_t label_id, bool hit) {
  counts_[label_id] += hit ? 1 : 0;
  ++counts_[classes() + label_id];
}

GroupAccuracy::GroupAccuracy(std::vector<std::string> group_of_label)
    : HitCounts(group_of_label.size()), group_of_label_(std::move(group_of_label)) {}

void GroupAccuracy::add(std::span<const float> scores, std::int64_t label_id) {
  check_label_id(label_id, classes());
  check_scores(scores, classes());
  const auto predicted = top_label(scores);
  count(label_id, predicted >= 0 && group_of_label_[predicted] == group_of_label_[label_id]);
}

void GroupAccuracy::add_failed(std::int64_t label_id) {
  check_label_id(label_id, classes());
  count(label_id, false);
}

PairAccuracy::PairAccuracy(std::vector<std::int64_t> counterpart)
    : HitCounts(counterpart.size()), counterpart_(std::move(counterpart)) {
  for (std::size_t c = 0; c < counterpart_.size(); ++c) {
    if (counterpart_[c] < 0) continue;
    check_label_id(counterpart_[c], counterpart_.size());
    if (counterpart_[c] == static_cast<std::int64_t>(c)) {
      throw std::invalid_argument(fmt::format("label {} is its own counterpart", c));
    }
  }
}

void PairAccuracy::add(std::span<const float> scores, std::int64_t label_id) {
  check_label_id(label_id, classes());
  check_scores(scores, classes());
  const auto other = counterpart_[label_id];
  if (other >= 0) count(label_id, !has_nan(scores) && scores[label_id] > scores[other]);
}

void PairAccuracy::add_failed(std::int64_t label_id) {
  check_label_id(label_id, classes());
  if (counterpart_[label_id] >= 0) count(label_id, false);
}

}  // namespace actionclip
