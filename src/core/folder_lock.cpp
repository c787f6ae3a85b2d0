#include "actionclip/core/folder_lock.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/file.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "actionclip/core/error.h"

namespace actionclip {
namespace {

// Who holds it, as the holder wrote it down.
std::string read_holder(int descriptor) {
  std::array<char, 512> text{};
  const auto length = pread(descriptor, text.data(), text.size(), 0);
  return length > 0 ? std::string(text.data(), static_cast<std::size_t>(length)) : "another process";
}

std::string describe_self() {
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  return fmt::format("process {} on {}", getpid(), host.data());
}

}  // namespace

FolderLock::FolderLock(const std::filesystem::path& folder)
    : descriptor_(open((folder / ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
  if (descriptor_ < 0)
    throw Error(fmt::format("cannot create {}: {}", (folder / ".lock").string(), std::strerror(errno)));
  if (flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    const int code = errno;
    const auto holder = read_holder(descriptor_);
    close(descriptor_);
    if (code == EWOULDBLOCK) throw Error(fmt::format("{} is in use by {}", folder.string(), holder));
    throw Error(fmt::format("cannot lock {}: {}", folder.string(), std::strerror(code)));
  }
  // For the message alone; a full disk does not matter here.
  const auto self = describe_self();
  [[maybe_unused]] const bool told =
      ftruncate(descriptor_, 0) == 0 && pwrite(descriptor_, self.data(), self.size(), 0) > 0;
}

FolderLock::~FolderLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

FolderLock::FolderLock(FolderLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

}  // namespace actionclip
