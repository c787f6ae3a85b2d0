// What lies below a folder, found in one walk: a look-up for each of half a million annotations then costs no
// system call.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace actionclip {

class VideoTree {
 public:
  // Links to folders are followed, each folder is entered once, hidden ones are passed over. Throws Error if
  // `root` is no folder or cannot be read.
  explicit VideoTree(const std::filesystem::path& root);

  const std::filesystem::path& root() const { return root_; }

  // Of every video, relative to root, sorted.
  const std::vector<std::string>& videos() const { return videos_; }
  // Of every folder below root that holds JPEG or PNG files, but no video or other folder; likewise.
  const std::vector<std::string>& frame_folders() const { return frame_folders_; }
  // Of every .csv, .json and .txt file, sorted.
  const std::vector<std::filesystem::path>& texts() const { return texts_; }

  // The video whose file name without its extension is `name`, relative to root. Of several, the one with
  // most of `folders` (compared as plain_label()) in its path; then the shortest path.
  std::optional<std::string> find(const std::string& name, std::span<const std::string> folders) const;

 private:
  // What a folder holds beside text files.
  struct Content {
    bool folders = false;
    bool videos = false;
    bool frames = false;
  };

  void walk();
  // Looks at an entry of `folder`; sub-folders are added to `folders`.
  void add(const std::filesystem::directory_entry& entry, const std::string& folder,
           std::vector<std::string>& folders, Content& content);

  std::filesystem::path root_;
  std::vector<std::string> videos_;
  std::vector<std::string> frame_folders_;
  std::vector<std::filesystem::path> texts_;
  std::unordered_multimap<std::string, std::size_t> by_name_;  // index in videos_
};

// "a/b/c.mp4": {"a", "b"}.
std::vector<std::string> folders_of(std::string_view path);

// "a/b/c.d.mp4": "c.d".
std::string stem_of(std::string_view path);

}  // namespace actionclip
