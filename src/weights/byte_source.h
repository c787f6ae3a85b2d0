// Where the bytes of a weights file come from, and the memory that they are read into. Files are read, not
// mapped: what is mapped changes, or ends the process with SIGBUS, when another process writes to the file or
// cuts it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>

namespace actionclip {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  const std::string& name() const { return name_; }  // in errors
  std::uint64_t size() const { return size_; }

  // Fills `to` with the bytes from `offset` on. Throws WeightsError if there are fewer.
  virtual void read(std::uint64_t offset, std::span<std::byte> to) const = 0;

 protected:
  ByteSource(std::string name, std::uint64_t size) : name_(std::move(name)), size_(size) {}
  [[noreturn]] void fail(const std::string& reason) const;

  std::string name_;
  std::uint64_t size_;
};

// The file stays readable while the object lives, even if it is renamed or deleted.
class FileSource : public ByteSource {
 public:
  // Throws WeightsError if the path cannot be opened or is not a regular file.
  explicit FileSource(const std::filesystem::path& path);
  ~FileSource() override;

  void read(std::uint64_t offset, std::span<std::byte> to) const override;

  // The same file as a stream, which the caller closes.
  std::FILE* open_stream() const;

 private:
  int descriptor_ = -1;
};

// `bytes` must outlive it.
class MemorySource : public ByteSource {
 public:
  MemorySource(std::span<const std::byte> bytes, std::string name)
      : ByteSource(std::move(name), bytes.size()), bytes_(bytes) {}

  void read(std::uint64_t offset, std::span<std::byte> to) const override;

  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
};

// As libtorch aligns its own memory: the results of some kernels depend on it.
inline constexpr std::size_t kTensorAlignment = 64;

// Memory for the bytes of a tensor of the file `source`; not initialised. Throws WeightsError if there is
// none left.
std::shared_ptr<std::byte[]> allocate_tensor_memory(std::uint64_t size, const std::string& source);

}  // namespace actionclip
