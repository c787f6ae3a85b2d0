// Kinetics-400 and -600: CSV files label,youtube_id,time_start,time_end,split with the videos anywhere below
// root as ID_START_END.mp4 (the seconds in six digits) or ID.mp4, cut to these seconds or, with
// PrepareOptions::untrimmed, whole; or no CSV and a folder for each split and class.

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "actionclip/core/error.h"
#include "actionclip/video/annotations.h"

#include "video/prepare/plan.h"

namespace actionclip {
namespace {

std::string split_of_row(const Annotation& row, const std::filesystem::path& file) {
  const std::string own = split_of(row.split);
  return own.empty() ? split_of(file.stem().string()) : own;
}

NamedVideo named(const Annotation& row, const std::string& split, bool untrimmed) {
  NamedVideo video;
  video.names.push_back(
      fmt::format("{}_{:06}_{:06}", row.id, std::llround(row.start), std::llround(row.end)));
  if (untrimmed) {
    video.whole = row.id;
    video.start = row.start;
    video.end = row.end;
  } else {
    video.names.push_back(row.id);
  }
  video.folders = {split};
  video.folders.insert(video.folders.end(), row.labels.begin(), row.labels.end());
  video.labels = row.labels;
  return video;
}

// Whether files without seconds in their names were cut cannot be seen here.
class UnnamedSeconds {
 public:
  explicit UnnamedSeconds(const VideoTree& videos) : videos_(videos) {}

  void add(const Annotation& row, const NamedVideo& video) {
    if (videos_.find(video.names.front(), video.folders)) return;
    const auto path = videos_.find(row.id, video.folders);
    if (!path) return;
    const auto [first, is_new] = starts_.try_emplace(*path, row.start);
    if (is_new) return;
    if (first->second != row.start) shared_.insert(*path);
  }

  void warn() const {
    if (starts_.empty()) return;
    const std::string shared =
        shared_.empty() ? ""
                        : fmt::format("; {} of them, as {}, cannot be, as they are named with several times",
                                      shared_.size(), *shared_.begin());
    spdlog::warn(
        "{} videos have no seconds in their names, as {}: they are taken for clips that were cut already{}; "
        "of whole videos, give --untrimmed",
        starts_.size(), starts_.begin()->first, shared);
  }

 private:
  const VideoTree& videos_;
  std::map<std::string, double> starts_;  // by path, the first row's
  std::set<std::string> shared_;
};

}  // namespace

bool is_kinetics_annotation(const std::filesystem::path& file) {
  return file.extension() == ".csv" && !split_of(file.stem().string()).empty();
}

DatasetPlan plan_kinetics(const PrepareInput& input) {
  std::vector<SplitVideo> videos;
  UnnamedSeconds unnamed(input.videos);
  for (const auto& file : input.annotations) {
    for (const auto& row : read_kinetics_annotations(file)) {
      if (row.labels.empty()) continue;  // a test split whose classes are held back
      const std::string split = split_of_row(row, file);
      if (split.empty()) {
        throw Error(fmt::format("{}:{}: the split '{}' is none of train, val and test", file.string(),
                                row.line, row.split));
      }
      videos.push_back({split, named(row, split, input.untrimmed)});
      if (!input.untrimmed) unnamed.add(row, videos.back().video);
    }
  }
  if (videos.empty() && input.untrimmed)
    throw UsageError("--untrimmed: needs the annotations (train.csv, val.csv), which tell the seconds");
  if (videos.empty()) return plan_class_folders(input);
  unnamed.warn();
  DatasetPlan plan;
  plan.format = input.untrimmed ? ListFormat::table : ListFormat::video;
  plan.lists = lists_of_splits(std::move(videos), input.untrimmed ? ".csv" : ".txt");
  if (input.labels == nullptr) plan.class_names = labels_of(plan.lists);
  return plan;
}

}  // namespace actionclip
