#include "weights/byte_source.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <new>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "actionclip/core/error.h"

namespace actionclip {

void ByteSource::fail(const std::string& reason) const {
  throw WeightsError(fmt::format("cannot read {}: {}", name_, reason));
}

FileSource::FileSource(const std::filesystem::path& path)
    // O_NONBLOCK: opening a pipe must fail below instead of waiting for its writer.
    : ByteSource(path.string(), 0), descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  if (descriptor_ < 0) fail(std::strerror(errno));
  struct stat status {};
  const int code = fstat(descriptor_, &status) == 0 ? 0 : errno;
  if (code == 0 && S_ISREG(status.st_mode)) {
    size_ = static_cast<std::uint64_t>(status.st_size);
    return;
  }
  close(descriptor_);
  if (code != 0) fail(std::strerror(code));
  fail(fmt::format("{}, a weights file is needed",
                   S_ISDIR(status.st_mode) ? "it is a folder" : "it is not a regular file"));
}

FileSource::~FileSource() { close(descriptor_); }

void FileSource::read(std::uint64_t offset, std::span<std::byte> to) const {
  while (!to.empty()) {
    const ssize_t count = pread(descriptor_, to.data(), to.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(std::strerror(errno));
    if (count == 0) fail(fmt::format("it ends at byte {}, {} more are needed", offset, to.size()));
    to = to.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
}

std::FILE* FileSource::open_stream() const {
  const int copy = fcntl(descriptor_, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) fail(std::strerror(errno));
  std::FILE* stream = fdopen(copy, "rb");
  if (stream == nullptr) {
    const int code = errno;
    close(copy);
    fail(std::strerror(code));
  }
  return stream;
}

void MemorySource::read(std::uint64_t offset, std::span<std::byte> to) const {
  if (offset > size_ || to.size() > size_ - offset) {
    fail(fmt::format("it ends at byte {}, {} from byte {} on are needed", size_, to.size(), offset));
  }
  std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), to.size(), to.begin());
}

std::shared_ptr<std::byte[]> allocate_tensor_memory(std::uint64_t size, const std::string& source) {
  constexpr std::align_val_t kAlignment{kTensorAlignment};
  void* memory = ::operator new(size, kAlignment, std::nothrow);
  if (memory == nullptr)
    throw WeightsError(fmt::format("{}: not enough memory for {} bytes of it", source, size));
  return {static_cast<std::byte*>(memory), [](std::byte* place) { ::operator delete(place, kAlignment); }};
}

}  // namespace actionclip
