#include "video/prepare/video_tree.h"

#include <algorithm>
#include <set>
#include <sys/stat.h>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "actionclip/core/error.h"
#include "actionclip/text/label_matcher.h"

#include "video/file_ending.h"

namespace actionclip {
namespace {

bool is_text_name(const std::string& name) {
  const auto ending = ending_of(name);
  return ending == ".csv" || ending == ".json" || ending == ".txt";
}

// Animated pictures and Ogg files too, which may be a data set's videos.
bool may_be_video(const std::string& name) {
  const auto ending = ending_of(name);
  return is_video_name(name) || ending == ".gif" || ending == ".ogg";
}

bool has_line_break(const std::string& path) { return path.find_first_of("\r\n") != std::string::npos; }

}  // namespace

VideoTree::VideoTree(const std::filesystem::path& root) : root_(root) {
  std::error_code unknown;
  if (!std::filesystem::is_directory(root, unknown)) {
    throw Error(fmt::format("{}: no such folder", root.string()));
  }
  try {
    walk();
  } catch (const std::filesystem::filesystem_error& problem) {
    throw Error(fmt::format("cannot read {}: {}", problem.path1().string(), problem.code().message()));
  }
  std::ranges::sort(videos_);
  std::ranges::sort(frame_folders_);
  std::ranges::sort(texts_);
  by_name_.reserve(videos_.size());
  for (std::size_t i = 0; i < videos_.size(); ++i) by_name_.emplace(stem_of(videos_[i]), i);
}

void VideoTree::walk() {
  std::set<std::pair<dev_t, ino_t>> entered;  // a link may lead back to where it lies
  std::vector<std::string> folders = {""};    // relative to root
  while (!folders.empty()) {
    const std::string folder = std::move(folders.back());
    folders.pop_back();
    struct stat status {};
    const auto place = folder.empty() ? root_ : root_ / folder;
    if (::stat(place.c_str(), &status) != 0 || !entered.emplace(status.st_dev, status.st_ino).second)
      continue;
    Content content;
    for (const auto& entry : std::filesystem::directory_iterator(place)) add(entry, folder, folders, content);
    const bool is_video = content.frames && !content.videos && !content.folders && !folder.empty();
    if (is_video && !has_line_break(folder)) frame_folders_.push_back(folder);
  }
}

void VideoTree::add(const std::filesystem::directory_entry& entry, const std::string& folder,
                    std::vector<std::string>& folders, Content& content) {
  const std::string name = entry.path().filename().string();
  if (name.starts_with('.')) return;
  const std::string path = folder.empty() ? name : fmt::format("{}/{}", folder, name);
  std::error_code broken_link;
  if (entry.is_directory(broken_link)) {
    folders.push_back(path);
    content.folders = true;
  } else if (is_text_name(name)) {
    texts_.push_back(entry.path());
  } else if (is_frame_name(name)) {
    content.frames = true;
  } else if (may_be_video(name) && entry.is_regular_file(broken_link)) {
    content.videos = true;
    if (has_line_break(path)) {
      spdlog::warn("{}: left out, as no list can name a file with a line break in its name", path);
    } else {
      videos_.push_back(path);
    }
  }
}

std::optional<std::string> VideoTree::find(const std::string& name,
                                           std::span<const std::string> folders) const {
  const std::string* best = nullptr;
  std::ptrdiff_t best_hits = -1;
  const auto [first, last] = by_name_.equal_range(name);
  const bool alone = first != last && std::next(first) == last;
  if (alone) return videos_[first->second];
  for (auto candidate = first; candidate != last; ++candidate) {
    const std::string& path = videos_[candidate->second];
    const auto own = folders_of(path);
    const auto hits = std::ranges::count_if(own, [&](const auto& folder) {
      return std::ranges::any_of(folders,
                                 [&](const auto& hint) { return plain_label(hint) == plain_label(folder); });
    });
    const bool shorter = best != nullptr && std::pair(path.size(), path) < std::pair(best->size(), *best);
    if (hits > best_hits || (hits == best_hits && shorter)) {
      best = &path;
      best_hits = hits;
    }
  }
  return best != nullptr ? std::optional(*best) : std::nullopt;
}

std::vector<std::string> folders_of(std::string_view path) {
  std::vector<std::string> folders;
  for (auto slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/')) {
    folders.emplace_back(path.substr(0, slash));
    path.remove_prefix(slash + 1);
  }
  return folders;
}

std::string stem_of(std::string_view path) {
  path.remove_prefix(path.rfind('/') + 1);  // npos + 1 is 0
  return std::string(path.substr(0, path.rfind('.')));
}

}  // namespace actionclip
