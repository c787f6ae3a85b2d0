// Remembers what reading a video has found out (FrameIndex), so that only the first epoch has to decode
// videos to their end.
#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <boost/unordered/unordered_flat_map.hpp>

#include "actionclip/video/frame_index.h"

namespace actionclip {

// An index is valid for a file's path, size and time of last change. In memory there are some 30 bytes a
// video; the indices themselves stay in the cache's file. Thread-safe, and several processes may share the
// file: each adds to its end, and sees what the others have added once it is started anew. Never throws:
// without its file, it still works in memory.
class FrameIndexCache {
 public:
  // Kept in memory only.
  FrameIndexCache() = default;
  // Kept in `file` (usually beside the video list, frame_index_file()), which appears once there is something
  // to keep. What is damaged in it is forgotten, with a warning; so is all that another version has written.
  explicit FrameIndexCache(std::filesystem::path file);
  ~FrameIndexCache();
  FrameIndexCache(const FrameIndexCache&) = delete;
  FrameIndexCache& operator=(const FrameIndexCache&) = delete;

  // The index of a video, if it has not changed since put().
  std::optional<FrameIndex> get(const std::filesystem::path& video) const;

  // Remembers an index. Only regular files are remembered: frame folders are counted in no time.
  void put(const std::filesystem::path& video, const FrameIndex& index);

 private:
  struct Identity;
  struct Record;

  static std::optional<Identity> identify(const std::filesystem::path& video);
  void open_file(bool create);
  void load();
  bool append(std::string_view record, std::uint64_t key);
  void keep_in_memory(std::string_view record, std::uint64_t key);
  void give_up(const std::string& reason);
  std::string bytes_at(std::uint64_t place, std::size_t count) const;

  std::filesystem::path file_;  // empty: kept in memory
  int descriptor_ = -1;
  bool is_writable_ = false;
  mutable std::mutex mutex_;
  // Where the newest record of a path's hash lies, in the file or, with kInMemory added, in memory_.
  boost::unordered_flat_map<std::uint64_t, std::uint64_t> places_;
  std::string memory_;
};

// Where the indices of a list's videos are kept: "<list>.frame_index".
std::filesystem::path frame_index_file(const std::filesystem::path& list);

}  // namespace actionclip
