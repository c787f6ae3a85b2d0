#include "video/frame_places.h"

#include <string>
#include <unordered_map>
#include <utility>

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
  std::unordered_map<std::string, std::size_t> by_folder, by_video;
  for (std::int64_t i = 0; i < list.size(); ++i) {
    const auto entry = list.entry(i);
    if (!entry.range.whole()) {
      fail(list, entry,
           "names a part of a video, but frames in a folder have no times to find it by; cut the video");
    }
    const auto folder = folder_of(list, entry);
    const auto [place, is_new] = by_video.emplace(entry.path.string(), result.places.size());
    result.of_entries.push_back(place->second);
    if (!is_new) continue;
    const auto [owner, is_free] = by_folder.emplace(folder.string(), place->second);
    FramePlace own{.video = entry.path, .folder = folder, .problem = {}};
    if (!is_free) {
      own.problem = fmt::format("{}: its frames would lie in the folder of {}; rename one of the two",
                                entry.path.string(), result.places[owner->second].video.string());
    }
    result.places.push_back(std::move(own));
  }
  return result;
}

}  // namespace actionclip
