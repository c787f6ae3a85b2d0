// class_folders: ROOT/CLASS/VIDEO, or ROOT/train|val|test/CLASS/VIDEO; a video is a file, or a folder of
// frames. The layout that Kinetics too is often kept in.

#include <algorithm>
#include <iterator>
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
bool has_splits(const std::vector<std::string>& paths) {
  return std::ranges::all_of(paths, [](const std::string& path) {
    const auto folders = folders_of(path);
    return folders.size() >= 2 && !split_of(folders.front()).empty();
  });
}

// Video files and frame folders, sorted. A folder of pictures right below root has no class, and is no video.
std::vector<std::string> videos_in(const VideoTree& tree) {
  std::vector<std::string> paths = tree.videos();
  std::ranges::copy_if(tree.frame_folders(), std::back_inserter(paths),
                       [](const std::string& path) { return !folders_of(path).empty(); });
  std::ranges::sort(paths);
  return paths;
}

}  // namespace

DatasetPlan plan_class_folders(const PrepareInput& input) {
  const auto paths = videos_in(input.videos);
  const bool splits = has_splits(paths);
  const bool has_frame_folders = paths.size() > input.videos.videos().size();
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
  // Of the formats for single videos, the table takes folders.
  plan.format = has_frame_folders ? ListFormat::table : ListFormat::video;
  plan.lists = lists_of_splits(std::move(videos), has_frame_folders ? ".csv" : ".txt");
  if (input.labels == nullptr) plan.class_names = labels_of(plan.lists);
  return plan;
}

}  // namespace actionclip
