// Remembers how many frames a full decode of each video presents, so that only the first epoch has to decode
// videos to their end.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace actionclip {

// A count is valid for a file's path, size and time of last change. Thread-safe. Never throws: without its
// file, it still works in memory.
class FrameCountCache {
 public:
  // Kept in memory only.
  FrameCountCache() = default;
  // Kept in `file` (JSON; usually beside the video list, frame_count_file()). One that is damaged is built
  // anew, with a warning.
  explicit FrameCountCache(std::filesystem::path file);
  ~FrameCountCache();  // saves
  FrameCountCache(const FrameCountCache&) = delete;
  FrameCountCache& operator=(const FrameCountCache&) = delete;

  // The frame count of a video, if it was counted since it last changed.
  std::optional<std::int64_t> get(const std::filesystem::path& video) const;

  // Remembers a count, and saves if the last time is a minute ago. Only regular files are remembered: frame
  // folders are counted in no time.
  void put(const std::filesystem::path& video, std::int64_t frame_count);

  // Writes what is new, atomically, together with what other processes have saved meanwhile. If that fails:
  // one warning, and no more attempts.
  void save();

 private:
  struct Record {
    std::int64_t size;      // bytes
    std::int64_t modified;  // nanoseconds
    std::int64_t frame_count;
  };
  using Records = std::map<std::string, Record>;  // by path

  static std::optional<Record> identity(const std::filesystem::path& video);
  Records load() const;
  void save_locked();

  std::filesystem::path file_;
  mutable std::mutex mutex_;
  Records records_;
  bool unsaved_ = false;
  std::chrono::steady_clock::time_point last_save_ = std::chrono::steady_clock::now();
};

// Where the counts of a list's videos are kept: "<list>.frame_counts.json".
std::filesystem::path frame_count_file(const std::filesystem::path& list);

}  // namespace actionclip
