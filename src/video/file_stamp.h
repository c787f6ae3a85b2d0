// What tells whether a file has changed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <sys/stat.h>

namespace actionclip {

struct FileStamp {
  std::int64_t bytes = 0;
  std::int64_t modified = 0;  // nanoseconds since 1970

  bool operator==(const FileStamp&) const = default;
};

// Of a file, or of a folder itself: its time changes with the names in it. Zeros if there is none.
inline FileStamp stamp_of(const std::filesystem::path& path) {
  constexpr std::int64_t kNanoseconds = 1'000'000'000;
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return {};
  return {status.st_size, status.st_mtim.tv_sec * kNanoseconds + status.st_mtim.tv_nsec};
}

}  // namespace actionclip
