#include "actionclip/eval/average_precision.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <stdexcept>

#include <fmt/format.h>

namespace actionclip {
namespace {

constexpr std::size_t kMostVideos = std::size_t{1} << 30;
constexpr float kBehindAll = -std::numeric_limits<float>::infinity();

// Counts of draws add up in bytes, which 64 draws at once need, and are moved on before they overflow.
class DrawnTotals {
 public:
  void add(const std::uint8_t* counts, unsigned largest) {
    if (bound_ + largest > std::numeric_limits<std::uint8_t>::max()) flush();
    bound_ += largest;
    for (std::size_t d = 0; d < kDrawsAtOnce; ++d)
      bytes_[d] = static_cast<std::uint8_t>(bytes_[d] + counts[d]);
  }

  const std::array<std::uint32_t, kDrawsAtOnce>& flushed() {
    flush();
    return totals_;
  }

 private:
  void flush() {
    for (std::size_t d = 0; d < kDrawsAtOnce; ++d) totals_[d] += bytes_[d];
    bytes_.fill(0);
    bound_ = 0;
  }

  std::array<std::uint8_t, kDrawsAtOnce> bytes_{};
  std::array<std::uint32_t, kDrawsAtOnce> totals_{};
  unsigned bound_ = 0;  // of any of the bytes
};

}  // namespace

ClassRanking::ClassRanking(std::span<const float> scores, std::span<const std::uint8_t> is_positive) {
  if (scores.size() != is_positive.size() || scores.size() >= kMostVideos)
    throw std::invalid_argument(fmt::format("{} scores of {} videos", scores.size(), is_positive.size()));
  const auto score_of = [&](std::size_t i) { return std::isnan(scores[i]) ? kBehindAll : scores[i]; };
  std::vector<std::uint32_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::stable_sort(order,
                           [&](std::uint32_t a, std::uint32_t b) { return score_of(a) > score_of(b); });
  std::size_t needed = 0;
  bool has_positive = false;  // the threshold at hand
  for (std::size_t i = 0; i < order.size(); ++i) {
    const bool ends = i + 1 == order.size() || score_of(order[i + 1]) != score_of(order[i]);
    const bool positive = is_positive[order[i]] != 0;
    auto& video = videos_.emplace_back();
    video.index = order[i];
    video.is_positive = positive ? 1 : 0;
    video.ends_threshold = ends ? 1 : 0;
    positives_ += positive ? 1 : 0;
    has_positive = has_positive || positive;
    if (!ends) continue;
    if (has_positive) needed = i + 1;
    has_positive = false;
  }
  videos_.resize(needed);
}

double ClassRanking::average_precision() const {
  if (positives_ == 0) return std::numeric_limits<double>::quiet_NaN();
  double sum = 0;
  std::int64_t found = 0, found_before = 0;
  for (std::size_t i = 0; i < videos_.size(); ++i) {
    found += videos_[i].is_positive;
    if (videos_[i].ends_threshold == 0) continue;
    sum +=
        static_cast<double>(found - found_before) * static_cast<double>(found) / static_cast<double>(i + 1);
    found_before = found;
  }
  return sum / static_cast<double>(positives_);
}

void ClassRanking::add_drawn(DrawCounts counts, DrawnValues& sums, DrawnValues& classes) const {
  if (videos_.empty()) return;
  const unsigned largest = *std::ranges::max_element(counts);
  DrawnTotals all;
  std::array<std::uint32_t, kDrawsAtOnce> positive{}, positive_before{};
  DrawnValues precisions{};
  bool has_positive = false;  // the threshold at hand
  for (const auto& video : videos_) {
    const auto* own = counts.data() + video.index * kDrawsAtOnce;
    all.add(own, largest);
    if (video.is_positive != 0) {
      has_positive = true;
      for (std::size_t d = 0; d < kDrawsAtOnce; ++d) positive[d] += own[d];
    }
    if (video.ends_threshold == 0 || !has_positive) continue;
    const auto& total = all.flushed();
    for (std::size_t d = 0; d < kDrawsAtOnce; ++d) {
      // Nothing of a draw that has none of these videos yet: 0 * 0 / 1.
      precisions[d] += static_cast<double>(positive[d] - positive_before[d]) *
                       static_cast<double>(positive[d]) / static_cast<double>(std::max(total[d], 1U));
    }
    positive_before = positive;
    has_positive = false;
  }
  for (std::size_t d = 0; d < kDrawsAtOnce; ++d) {
    if (positive[d] == 0) continue;
    sums[d] += precisions[d] / static_cast<double>(positive[d]);
    classes[d] += 1;
  }
}

std::vector<ClassRanking> rank_videos(const VideoScores& scores) {
  const auto videos = scores.videos.size(), classes = scores.labels.size();
  std::vector<std::vector<std::uint8_t>> is_positive(classes, std::vector<std::uint8_t>(videos));
  for (std::size_t i = 0; i < videos; ++i) {
    for (const auto label_id : scores.videos[i].label_ids) is_positive.at(label_id)[i] = 1;
  }
  std::vector<ClassRanking> rankings;
  std::vector<float> column(videos);
  for (std::size_t c = 0; c < classes; ++c) {
    for (std::size_t i = 0; i < videos; ++i) column[i] = scores.row(i)[c];
    rankings.emplace_back(column, is_positive[c]);
  }
  return rankings;
}

double mean_average_precision(std::span<const ClassRanking> classes) {
  double sum = 0;
  std::int64_t counted = 0;
  for (const auto& ranking : classes) {
    if (ranking.positives() == 0) continue;
    sum += ranking.average_precision();
    ++counted;
  }
  return counted == 0 ? 0 : sum / static_cast<double>(counted);
}

}  // namespace actionclip
