#include "video/prepare/resolve.h"

#include <limits>
#include <optional>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "actionclip/core/error.h"
#include "actionclip/core/joined_names.h"
#include "actionclip/text/label_matcher.h"

namespace actionclip {
namespace {

// The label id of each class that the annotations name.
using LabelIds = std::unordered_map<std::string, std::int64_t>;

LabelIds match_labels(const std::vector<NamedList>& lists, const LabelSet& labels) {
  constexpr std::size_t kNamed = 10;
  const LabelMatcher matcher(labels);
  LabelIds ids;
  std::vector<std::string> unmatched;
  for (const auto& name : labels_of(lists)) {
    if (const auto id = matcher.match(name)) {
      ids.emplace(name, *id);
    } else {
      unmatched.push_back(matcher.explain(name));
    }
  }
  if (unmatched.empty()) return ids;
  throw Error(
      fmt::format("{}: {} class(es) of the data set match none of its labels, or several of them: {}; "
                  "correct the names there, or leave out --labels",
                  labels.source(), unmatched.size(), joined_names(unmatched, kNamed)));
}

struct FoundPath {
  std::string path;
  double start = 0, end = std::numeric_limits<double>::infinity();
};

std::optional<FoundPath> find(const NamedVideo& video, const VideoTree& videos) {
  const bool has_whole = !video.whole.empty();  // then the files of `names` hold the range and nothing else
  const FoundPath as_named = has_whole ? FoundPath() : FoundPath{"", video.start, video.end};
  if (!video.path.empty()) return FoundPath{video.path, as_named.start, as_named.end};
  for (const auto& name : video.names) {
    if (auto path = videos.find(name, video.folders))
      return FoundPath{std::move(*path), as_named.start, as_named.end};
  }
  if (!has_whole) return std::nullopt;
  if (auto path = videos.find(video.whole, video.folders))
    return FoundPath{std::move(*path), video.start, video.end};
  return std::nullopt;
}

FoundList resolve_list(const NamedList& list, const LabelIds& ids, const VideoTree& videos) {
  FoundList found{.file = list.file, .split = list.split, .videos = {}, .missing = {}, .repeated = 0};
  std::set<std::tuple<std::string, std::vector<std::int64_t>, double, double>> listed;
  for (const auto& video : list.videos) {
    auto place = find(video, videos);
    if (!place) {
      found.missing.push_back(video.names.front());
      continue;
    }
    std::vector<std::int64_t> label_ids;
    for (const auto& label : video.labels) label_ids.push_back(ids.at(label));
    if (!listed.emplace(place->path, label_ids, place->start, place->end).second) {
      ++found.repeated;
      continue;
    }
    found.videos.push_back({std::move(place->path), std::move(label_ids), place->start, place->end});
  }
  return found;
}

}  // namespace

std::vector<FoundList> resolve_plan(const DatasetPlan& plan, const LabelSet& labels,
                                    const VideoTree& videos) {
  const LabelIds ids = match_labels(plan.lists, labels);
  std::vector<FoundList> found;
  for (const auto& list : plan.lists) found.push_back(resolve_list(list, ids, videos));
  return found;
}

}  // namespace actionclip
