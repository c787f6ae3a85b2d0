// Keeps two processes from writing into one folder.
#pragma once

#include <filesystem>

namespace actionclip {

class FolderLock {
 public:
  // Locks `folder`, which must exist, until the object or the process is gone, however it ends. Throws Error
  // that names the process that has it.
  explicit FolderLock(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&&) = delete;

 private:
  int descriptor_;
};

}  // namespace actionclip
