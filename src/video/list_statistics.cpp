#include "actionclip/video/list_statistics.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <unordered_map>

#include <fmt/format.h>

#include "actionclip/core/statistics.h"

namespace actionclip {
namespace {

constexpr std::size_t kShown = 5;

using Counted = std::pair<std::string, std::int64_t>;

std::vector<Counted> most_frequent(const std::map<std::string, std::int64_t>& counts) {
  std::vector<Counted> sorted(counts.begin(), counts.end());
  std::ranges::stable_sort(sorted, std::ranges::greater(), &Counted::second);
  sorted.resize(std::min(sorted.size(), kShown));
  return sorted;
}

Spread spread_or_zero(const std::vector<double>& values) {
  return values.empty() ? Spread() : spread_of(values);
}

}  // namespace

Spread spread_of(const std::vector<double>& values) {
  const auto [least, most] = std::ranges::minmax(values);
  return {least, median_of(values), most};
}

ListStatistics count_classes(const VideoList& list, const LabelSet* labels) {
  std::map<std::int64_t, std::int64_t> counts;
  ListStatistics result;
  result.videos = list.size();
  for (std::int64_t i = 0; i < list.size(); ++i) {
    for (const auto id : list.entry(i).label_ids) {
      ++counts[id];
      ++result.labels_of_videos;
    }
  }
  const auto name = [&](std::int64_t id) {
    return labels != nullptr ? labels->name(id) : fmt::format("class {}", id);
  };
  std::vector<double> sizes;
  for (const auto& [id, count] : counts) {
    sizes.push_back(static_cast<double>(count));
    result.rarest.emplace_back(name(id), count);
  }
  std::ranges::stable_sort(result.rarest, {}, &Counted::second);
  result.rarest.resize(std::min(result.rarest.size(), kShown));
  result.classes = std::ssize(sizes);
  result.videos_of_class = spread_or_zero(sizes);
  for (std::int64_t id = 0; labels != nullptr && id < labels->size(); ++id) {
    if (!counts.contains(id)) result.bare_classes.push_back(labels->name(id));
  }
  return result;
}

MeasuredStatistics measure(const VideoList& list, const std::vector<VideoFacts>& manifest) {
  std::unordered_map<std::string_view, const VideoFacts*> by_path;
  for (const auto& video : manifest) by_path.emplace(video.path, &video);
  MeasuredStatistics result;
  std::vector<double> seconds, fps, frames;
  std::map<std::string, std::int64_t> sizes, codecs;
  for (std::int64_t i = 0; i < list.size(); ++i) {
    const std::string path = list.entry(i).path.string();
    const auto found = by_path.find(path);
    if (found == by_path.end() || !found->second->decodable) {
      ++(found == by_path.end() ? result.unknown : result.failed);
      continue;
    }
    const VideoFacts& video = *found->second;
    ++result.videos;
    ++sizes[fmt::format("{}x{}", video.width, video.height)];
    ++codecs[video.codec];
    frames.push_back(static_cast<double>(video.frames));
    if (video.seconds <= 0) continue;
    seconds.push_back(video.seconds);
    fps.push_back(video.fps);
    result.hours += video.seconds / 3600;
  }
  result.seconds = spread_or_zero(seconds);
  result.fps = spread_or_zero(fps);
  result.frames = spread_or_zero(frames);
  result.sizes = most_frequent(sizes);
  result.codecs = most_frequent(codecs);
  return result;
}

}  // namespace actionclip
