#include "actionclip/protocols/strict_accuracy.h"

#include <cstddef>
#include <stdexcept>
#include <vector>

#include <fmt/format.h>

#include "actionclip/eval/metrics.h"

namespace actionclip {
namespace {

// New ids of the labels that are left, by label id; -1: left out.
std::vector<std::int64_t> number_left(std::size_t labels, const std::set<std::int64_t>& left_out) {
  if (!left_out.empty() && (*left_out.begin() < 0 || *left_out.rbegin() >= static_cast<std::int64_t>(labels)))
    throw std::invalid_argument(
        fmt::format("label ids {}..{} of {} labels", *left_out.begin(), *left_out.rbegin(), labels));
  std::vector<std::int64_t> ids(labels, -1);
  std::int64_t next = 0;
  for (std::size_t id = 0; id < labels; ++id) {
    if (!left_out.contains(static_cast<std::int64_t>(id))) ids[id] = next++;
  }
  return ids;
}

// The scores of the labels that are left.
std::vector<float> take_left(std::span<const float> row, const std::vector<std::int64_t>& ids) {
  std::vector<float> left;
  for (std::size_t id = 0; id < row.size(); ++id) {
    if (ids[id] >= 0) left.push_back(row[id]);
  }
  return left;
}

}  // namespace

StrictAccuracy strict_accuracy(const VideoScores& scores, const std::set<std::int64_t>& left_out) {
  if (scores.multi_label) throw std::invalid_argument("scores of several labels a video have no top-1");
  const auto ids = number_left(scores.labels.size(), left_out);
  StrictAccuracy result;
  result.labels = static_cast<std::int64_t>(scores.labels.size() - left_out.size());
  if (result.labels == 0) return result;
  ClassificationMetrics all(static_cast<std::int64_t>(ids.size())), left(result.labels);
  for (std::size_t i = 0; i < scores.videos.size(); ++i) {
    const auto& video = scores.videos[i];
    const auto label_id = video.label_ids.at(0);
    const auto id_among_left = ids.at(static_cast<std::size_t>(label_id));
    if (id_among_left < 0) continue;
    if (!video.failure.empty()) {
      all.add_failed(label_id);
      left.add_failed(id_among_left);
      continue;
    }
    all.add(scores.row(i), label_id);
    left.add(take_left(scores.row(i), ids), id_among_left);
  }
  result.videos = all.samples();
  if (result.videos == 0) return result;
  result.top1 = all.top1();
  result.top5 = all.top5();
  result.top1_of_left = left.top1();
  result.top5_of_left = left.top5();
  return result;
}

}  // namespace actionclip
