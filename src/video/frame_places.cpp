#include "video/frame_places.h"

#include <string>
#include <unordered_map>

#include <fmt/format.h>

#include "actionclip/core/error.h"

namespace actionclip {
namespace {

[[noreturn]] void fail(const VideoList& list, const VideoEntry& entry, const std::string& message) {
  throw Error(fmt::format("{}:{}: {}", list.file().string(), entry.line, message));
}

std::filesystem::path folder_of(const VideoList& list, const VideoEntry& entry) {
  const auto relative = entry.path.lexically_normal().lexically_relative(list.root().lexically_normal());
  if (relative.empty() || *relative.begin() == ".." || *relative.begin() == ".") {
    fail(list, entry,
         fmt::format(
             "{} does not lie below the list's root '{}', so that its frames have no place; name a root "
             "above it",
             entry.path.string(), list.root().string()));
  }
  return relative.parent_path() / relative.stem();
}

}  // namespace

FramePlaces frame_places(const VideoList& list) {
  FramePlaces result;
  std::unordered_map<std::string, std::size_t> by_folder;
  for (std::int64_t i = 0; i < list.size(); ++i) {
    const auto entry = list.entry(i);
    if (!entry.range.whole()) {
      fail(list, entry,
           "names a part of a video, but frames in a folder have no times to find it by; cut the video");
    }
    const auto folder = folder_of(list, entry);
    const auto [known, is_new] = by_folder.emplace(folder.string(), result.places.size());
    if (is_new) result.places.push_back({entry.path, folder});
    const auto& video = result.places[known->second].video;
    if (video != entry.path) {
      fail(list, entry,
           fmt::format("{} and {} would have the same folder of frames; rename one", video.string(),
                       entry.path.string()));
    }
    result.of_entries.push_back(known->second);
  }
  return result;
}

}  // namespace actionclip
