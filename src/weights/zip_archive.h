// Zip archives as PyTorch writes them: records stored without compression.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>

struct zip;
struct zip_source;

namespace actionclip {

struct ZipRecord {
  std::shared_ptr<const std::byte[]> owner;
  std::span<const std::byte> bytes;
};

// Every function throws WeightsError naming the archive and the record. Refused: archives whose directory and
// local headers disagree, two records of one name, records that claim more bytes together than the archive
// has.
class ZipArchive {
 public:
  explicit ZipArchive(const std::filesystem::path& path);
  // `bytes` must outlive the archive; `source` names it in errors.
  ZipArchive(std::span<const std::byte> bytes, std::string source);

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
