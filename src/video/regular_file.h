// A regular file open for reading. Videos and frames are opened through it, so that a pipe or a device never
// blocks the reader and a name that looks like an address ("http:", "concat:") is a file name and nothing
// else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace actionclip {

// Seconds that this thread has spent in RegularFile::read() so far: what waiting for the file system takes of
// all that reading a video takes.
double seconds_spent_reading();

class RegularFile {
 public:
  // Throws VideoError (path and reason) if `path` is missing, unreadable, empty, or not a regular file.
  explicit RegularFile(const std::filesystem::path& path);
  ~RegularFile();
  RegularFile(const RegularFile&) = delete;
  RegularFile& operator=(const RegularFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::int64_t size() const { return size_; }

  // Reads at the file position; returns bytes read (0 at the end), or -errno.
  std::int64_t read(std::span<std::uint8_t> bytes);
  // The same from `offset` on, whatever the file position, which stays.
  std::int64_t read_at(std::int64_t offset, std::span<std::uint8_t> bytes);
  // As lseek; returns the new position, or -errno.
  std::int64_t seek(std::int64_t offset, int whence);

  // Whether the file begins with `bytes`; leaves it at its start. Throws VideoError if it cannot be read.
  bool starts_with(std::span<const std::uint8_t> bytes);

  // The whole file. Throws VideoError if it cannot be read or is larger than `limit` bytes.
  std::vector<std::uint8_t> read_all(std::int64_t limit);

 private:
  std::filesystem::path path_;
  int descriptor_;
  std::int64_t size_ = 0;
};

}  // namespace actionclip
