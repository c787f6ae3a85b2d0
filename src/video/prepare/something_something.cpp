// Something-Something v2: train.json and validation.json, objects with id and template; the videos ID.webm.
// The test split's templates are not in its JSON file, so it gives no list.

#include <utility>

#include <fmt/format.h>

#include "actionclip/core/error.h"
#include "actionclip/video/annotations.h"

#include "video/prepare/plan.h"

namespace actionclip {
bool is_something_something_annotation(const std::filesystem::path& file) {
  const std::string split = split_of(file.stem().string());
  return file.extension() == ".json" && (split == "train" || split == "val");
}

DatasetPlan plan_something_something(const PrepareInput& input) {
  std::vector<SplitVideo> videos;
  for (const auto& file : input.annotations) {
    const std::string split = split_of(file.stem().string());
    for (const auto& row : read_something_something_annotations(file)) {
      NamedVideo video;
      video.names = {row.id};
      video.folders = {split};
      video.labels = row.labels;
      if (video.labels.empty()) {
        throw Error(fmt::format("{}:{}: video {} has no template", file.string(), row.line, row.id));
      }
      videos.push_back({split, std::move(video)});
    }
  }
  DatasetPlan plan;
  plan.lists = lists_of_splits(std::move(videos));
  if (plan.lists.empty()) {
    throw Error("found no annotations: train.json and validation.json are needed (--annotations)");
  }
  if (input.labels == nullptr) plan.class_names = labels_of(plan.lists);
  return plan;
}

}  // namespace actionclip
