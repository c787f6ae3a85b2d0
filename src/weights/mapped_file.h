// A file mapped into memory, read-only.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

namespace actionclip {

// The bytes stay valid while the object lives, even if the file is renamed or deleted. A file that another
// process truncates in the meantime ends this one with SIGBUS, as with any mapping: weights are replaced by
// renaming (core/atomic_file.h), never in place.
class MappedFile {
 public:
  // Throws WeightsError if the path cannot be opened or is not a regular file. An empty file gives no bytes.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {static_cast<const std::byte*>(address_), size_}; }

 private:
  void* address_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace actionclip
