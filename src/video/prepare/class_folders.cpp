// class_folders: ROOT/CLASS/VIDEO, or ROOT/train|val|test/CLASS/VIDEO. The layout that Kinetics too is often
// kept in.

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "actionclip/core/error.h"

#include "video/prepare/plan.h"

namespace actionclip {
namespace {

// Folders name classes as programs like it: "riding_a_bike".
std::string with_blanks(std::string name) {
  std::ranges::replace(name, '_', ' ');
  return name;
}

// Whether a folder right below root tells the split of what it holds. One class may be called "training", so
// all must.
bool has_splits(const VideoTree& videos) {
  return std::ranges::all_of(videos.videos(), [](const std::string& path) {
    const auto folders = folders_of(path);
    return folders.size() >= 2 && !split_of(folders.front()).empty();
  });
}

}  // namespace

DatasetPlan plan_class_folders(const PrepareInput& input) {
  const auto& paths = input.videos.videos();
  const bool splits = has_splits(input.videos);
  std::vector<SplitVideo> videos;
  for (const auto& path : paths) {
    const auto folders = folders_of(path);
    if (folders.empty()) {
      throw Error(fmt::format("{}: lies in no folder, so its class is not known; put it into one",
                              (input.videos.root() / path).string()));
    }
    NamedVideo video;
    video.names = {stem_of(path)};
    video.path = path;
    video.labels = {with_blanks(folders.back())};
    videos.push_back({splits ? split_of(folders.front()) : "train", std::move(video)});
  }
  DatasetPlan plan;
  plan.lists = lists_of_splits(std::move(videos));
  if (input.labels == nullptr) plan.class_names = labels_of(plan.lists);
  return plan;
}

}  // namespace actionclip
