// A folder of videos for each class.

#include <algorithm>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"
#include "actionclip/text/label_matcher.h"

#include "video/file_ending.h"
#include "video/list_formats/list_text.h"

namespace actionclip {
namespace {

// The names in `folder` of folders and, if wanted, videos; sorted, without hidden ones and other files.
std::vector<std::string> names_in(const std::filesystem::path& folder, bool with_videos) {
  std::vector<std::string> names;
  std::error_code problem;
  for (std::filesystem::directory_iterator entry(folder, problem), end; !problem && entry != end;
       entry.increment(problem)) {
    std::error_code unknown;
    auto name = entry->path().filename().string();
    if (name.starts_with('.')) continue;
    if (entry->is_directory(unknown) || (with_videos && is_video_name(entry->path())))
      names.push_back(std::move(name));
  }
  if (problem) throw Error(fmt::format("{}: cannot be read: {}", folder.string(), problem.message()));
  std::ranges::sort(names);
  return names;
}

}  // namespace

std::vector<std::string> class_folders_in(const std::filesystem::path& root) {
  auto folders = names_in(root, /*with_videos=*/false);
  std::erase_if(folders, [&](const auto& folder) { return names_in(root / folder, true).empty(); });
  return folders;
}

std::string add_class_folders(const LabelSet* labels, VideoList& list) {
  const std::string file = list.file().string();
  const LabelMatcher matcher(required_labels(labels, file));
  NameResolver classes(matcher, file);
  std::string hashes;  // of each class: one text of all names could be long
  std::int64_t place = 0;
  for (const auto& folder : class_folders_in(list.root())) {
    const auto videos = names_in(list.root() / folder, /*with_videos=*/true);
    const auto label_id = static_cast<std::int32_t>(classes.resolve(folder, place + 1));
    std::string names;
    for (const auto& name : videos) {
      const std::string path = fmt::format("{}/{}", folder, name);
      list.add(VideoEntryView{.path = path, .label_ids = {&label_id, 1}, .line = ++place});
      names += path;
      names += '\0';
    }
    hashes += sha256_of(names);
  }
  classes.finish();
  return sha256_of(hashes);
}

}  // namespace actionclip
