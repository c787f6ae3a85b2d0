// Kinetics-400 and -600: CSV files label,youtube_id,time_start,time_end,split with the videos anywhere below
// root as ID_START_END.mp4 (the seconds in six digits) or ID.mp4; or no CSV and a folder for each split and
// class.

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "actionclip/core/error.h"
#include "actionclip/video/annotations.h"

#include "video/prepare/plan.h"

namespace actionclip {
namespace {

std::string split_of_row(const Annotation& row, const std::filesystem::path& file) {
  const std::string own = split_of(row.split);
  return own.empty() ? split_of(file.stem().string()) : own;
}

NamedVideo named(const Annotation& row, const std::string& split) {
  NamedVideo video;
  if (std::isfinite(row.start) && std::isfinite(row.end)) {
    video.names.push_back(
        fmt::format("{}_{:06}_{:06}", row.id, std::llround(row.start), std::llround(row.end)));
  }
  video.names.push_back(row.id);
  video.folders = {split};
  video.folders.insert(video.folders.end(), row.labels.begin(), row.labels.end());
  video.labels = row.labels;
  return video;
}

}  // namespace

bool is_kinetics_annotation(const std::filesystem::path& file) {
  return file.extension() == ".csv" && !split_of(file.stem().string()).empty();
}

DatasetPlan plan_kinetics(const PrepareInput& input) {
  std::vector<SplitVideo> videos;
  for (const auto& file : input.annotations) {
    for (const auto& row : read_kinetics_annotations(file)) {
      if (row.labels.empty()) continue;  // a test split whose classes are held back
      const std::string split = split_of_row(row, file);
      if (split.empty()) {
        throw Error(fmt::format("{}:{}: the split '{}' is none of train, val and test", file.string(),
                                row.line, row.split));
      }
      videos.push_back({split, named(row, split)});
    }
  }
  if (videos.empty()) return plan_class_folders(input);
  DatasetPlan plan;
  plan.lists = lists_of_splits(std::move(videos));
  if (input.labels == nullptr) plan.class_names = labels_of(plan.lists);
  return plan;
}

}  // namespace actionclip
