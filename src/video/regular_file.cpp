#include "video/regular_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "actionclip/core/error.h"

#include "video/stopwatch.h"

namespace actionclip {
namespace {

thread_local double seconds_reading = 0;

// What keeps an open file from being read as a video, or nullptr.
const char* objection(const struct stat& status) {
  if (S_ISDIR(status.st_mode)) return "is a folder, a file is needed";
  if (!S_ISREG(status.st_mode)) return "is not a regular file (a pipe, a socket or a device)";
  if (status.st_size == 0) return "is empty";
  return nullptr;
}

}  // namespace

double seconds_spent_reading() { return seconds_reading; }

RegularFile::RegularFile(const std::filesystem::path& path)
    : path_(path),
      // O_NONBLOCK: opening a pipe that nobody writes to would wait for ever. It does nothing to a regular
      // file.
      descriptor_(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)) {
  if (descriptor_ < 0)
    throw VideoError(fmt::format("cannot open {}: {}", path.string(), std::strerror(errno)));
  struct stat status {};
  const char* reason = ::fstat(descriptor_, &status) == 0 ? objection(status) : std::strerror(errno);
  if (reason != nullptr) {
    ::close(descriptor_);
    throw VideoError(fmt::format("{}: {}", path.string(), reason));
  }
  size_ = status.st_size;
}

RegularFile::~RegularFile() { ::close(descriptor_); }

std::int64_t RegularFile::read(std::span<std::uint8_t> bytes) {
  const Stopwatch watch(seconds_reading);
  while (true) {
    const ssize_t count = ::read(descriptor_, bytes.data(), bytes.size());
    if (count >= 0) return count;
    if (errno != EINTR) return -errno;
  }
}

std::int64_t RegularFile::read_at(std::int64_t offset, std::span<std::uint8_t> bytes) {
  const Stopwatch watch(seconds_reading);
  while (true) {
    const ssize_t count = ::pread(descriptor_, bytes.data(), bytes.size(), offset);
    if (count >= 0) return count;
    if (errno != EINTR) return -errno;
  }
}

std::int64_t RegularFile::seek(std::int64_t offset, int whence) {
  const off_t position = ::lseek(descriptor_, offset, whence);
  return position >= 0 ? position : -errno;
}

bool RegularFile::starts_with(std::span<const std::uint8_t> bytes) {
  std::vector<std::uint8_t> start(bytes.size());
  std::int64_t position = seek(0, SEEK_SET);
  const std::int64_t count = position < 0 ? position : read(start);
  if (count >= 0) position = seek(0, SEEK_SET);
  if (const auto failure = std::min(count, position); failure < 0) {
    throw VideoError(
        fmt::format("cannot read {}: {}", path_.string(), std::strerror(static_cast<int>(-failure))));
  }
  return static_cast<std::size_t>(count) == bytes.size() && std::ranges::equal(start, bytes);
}

std::vector<std::uint8_t> RegularFile::read_all(std::int64_t limit) {
  if (size_ > limit) {
    throw VideoError(fmt::format("{}: {} bytes, more than {} are refused", path_.string(), size_, limit));
  }
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size_));
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    const std::int64_t count = read(std::span(bytes).subspan(filled));
    if (count < 0) {
      throw VideoError(
          fmt::format("cannot read {}: {}", path_.string(), std::strerror(static_cast<int>(-count))));
    }
    if (count == 0) throw VideoError(fmt::format("{}: became shorter while it was read", path_.string()));
    filled += static_cast<std::size_t>(count);
  }
  return bytes;
}

}  // namespace actionclip
