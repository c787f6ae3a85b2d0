// Zip archives as PyTorch writes them: records stored without compression.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "weights/byte_source.h"

struct zip;
struct zip_source;

namespace actionclip {

struct ZipRecord {
  std::shared_ptr<const std::byte[]> owner;  // aligned for tensors
  std::span<const std::byte> bytes;
};

// Every function throws WeightsError naming the archive and the record. Refused: archives whose directory and
// local headers disagree, or whose directory is larger than any checkpoint's; two records of one name; names
// that lead out of a folder or hold control characters; records that claim more bytes together than the
// archive has.
class ZipArchive {
 public:
  explicit ZipArchive(const FileSource& file);
  explicit ZipArchive(const MemorySource& memory);

  const std::string& source() const { return source_; }
  // Names and indices of all records, sorted by name.
  const std::map<std::string, std::uint64_t>& records() const { return records_; }
  bool contains(const std::string& name) const { return records_.contains(name); }

  // Size in bytes of a record that exists.
  std::uint64_t size(const std::string& name) const;

  // Reads a record whole and checks its CRC. A compressed or encrypted record is refused: PyTorch stores what
  // holds tensors plainly, and a compressed record could grow without bounds.
  ZipRecord read(const std::string& name) const;

 private:
  void open(zip_source* source);
  void list_records();

  std::string source_;
  std::shared_ptr<zip> archive_;
  std::uint64_t file_size_ = 0;
  std::map<std::string, std::uint64_t> records_;
};

}  // namespace actionclip
