#include "weights/zip_archive.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>
#include <vector>
#include <zip.h>

#include <fmt/format.h>

#include "actionclip/core/error.h"

#include "weights/tensor_bounds.h"

namespace actionclip {
namespace {

// A libzip error that frees what it holds.
class ZipError {
 public:
  ZipError() { zip_error_init(&error_); }
  ~ZipError() { zip_error_fini(&error_); }
  ZipError(const ZipError&) = delete;
  ZipError& operator=(const ZipError&) = delete;
  zip_error_t* get() { return &error_; }
  std::string text() { return zip_error_strerror(&error_); }

 private:
  zip_error_t error_;
};

constexpr std::uint64_t kMaxDirectory = 2u << 20;  // 20,000 records; a ViT-L with its optimizer has 2,000

// The fixed parts of the records at the end of an archive, and where in them something lies.
constexpr std::size_t kEndSize = 22, kEndDirectory = 12;
constexpr std::size_t kLocatorSize = 20, kLocatorTarget = 8;
constexpr std::size_t kEnd64Size = 56, kEnd64Directory = 40;
constexpr std::size_t kMaxComment = 0xffff;

std::uint64_t little_endian(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | std::to_integer<std::uint64_t>(bytes[i]);
  return value;
}

bool starts_with(std::span<const std::byte> bytes, std::string_view mark) {
  return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()).starts_with(mark);
}

struct Directory {
  std::uint64_t size, offset;
};

// Of the end record at `place` of the file's last bytes, `tail`.
Directory directory_of(const ByteSource& file, std::span<const std::byte> tail, std::size_t place) {
  const Directory directory{little_endian(tail.subspan(place + kEndDirectory, 4)),
                            little_endian(tail.subspan(place + kEndDirectory + 4, 4))};
  if (place < kLocatorSize) return directory;
  const auto locator = tail.subspan(place - kLocatorSize, kLocatorSize);
  const std::uint64_t target = little_endian(locator.subspan(kLocatorTarget, 8));
  if (!starts_with(locator, "PK\x06\x07") || file.size() < kEnd64Size || target > file.size() - kEnd64Size)
    return directory;
  std::array<std::byte, kEnd64Size> end64{};
  file.read(target, end64);
  if (!starts_with(end64, "PK\x06\x06")) return directory;
  const auto fields = std::span(end64).subspan(kEnd64Directory);
  return {little_endian(fields.first(8)), little_endian(fields.subspan(8, 8))};
}

// libzip reads the directory whole, into a multiple of its size, before anyone can ask how large it is. It
// takes the best of all end records that a comment leaves room for, so each is looked at.
void refuse_large_directory(const ByteSource& file) {
  std::vector<std::byte> tail(std::min<std::uint64_t>(file.size(), kMaxComment + kEndSize + kLocatorSize));
  const std::uint64_t tail_begin = file.size() - tail.size();
  file.read(tail_begin, tail);
  for (std::size_t place = 0; place + kEndSize <= tail.size(); ++place) {
    if (!starts_with(std::span(tail).subspan(place), "PK\x05\x06")) continue;
    const auto [size, offset] = directory_of(file, tail, place);
    // One that does not end ahead of its end record is not a directory to libzip either.
    const bool fits = offset <= tail_begin + place && size <= tail_begin + place - offset;
    if (size > kMaxDirectory && fits) {
      throw WeightsError(
          fmt::format("{}: the zip directory has {} bytes, more than {}", file.name(), size, kMaxDirectory));
    }
  }
}

// Absolute, or with a way up. Nothing is ever written by these names; they are no weights'.
bool leads_elsewhere(std::string_view name) {
  return name.starts_with('/') || fmt::format("/{}/", name).find("/../") != std::string::npos;
}

}  // namespace

ZipArchive::ZipArchive(const FileSource& file) : source_(file.name()), file_size_(file.size()) {
  refuse_large_directory(file);
  std::FILE* stream = file.open_stream();
  ZipError error;
  zip_source_t* source = zip_source_filep_create(stream, 0, -1, error.get());
  if (source == nullptr) {
    std::fclose(stream);
    throw WeightsError(fmt::format("cannot read {}: {}", source_, error.text()));
  }
  open(source);
}

ZipArchive::ZipArchive(const MemorySource& memory) : source_(memory.name()), file_size_(memory.size()) {
  refuse_large_directory(memory);
  ZipError error;
  zip_source_t* source =
      zip_source_buffer_create(memory.bytes().data(), memory.bytes().size(), 0, error.get());
  if (source == nullptr) throw WeightsError(fmt::format("cannot read {}: {}", source_, error.text()));
  open(source);
}

void ZipArchive::open(zip_source* source) {
  ZipError error;
  zip_t* archive = zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, error.get());
  if (archive == nullptr) {
    zip_source_free(source);
    throw WeightsError(
        fmt::format("{}: not a whole zip archive, truncated or damaged ({})", source_, error.text()));
  }
  archive_ = std::shared_ptr<zip>(archive, zip_discard);
  list_records();
}

void ZipArchive::list_records() {
  std::uint64_t total = 0;
  const auto count = static_cast<std::uint64_t>(zip_get_num_entries(archive_.get(), 0));
  for (std::uint64_t index = 0; index < count; ++index) {
    zip_stat_t status;
    const char* name = zip_get_name(archive_.get(), index, ZIP_FL_ENC_RAW);
    if (name == nullptr || zip_stat_index(archive_.get(), index, 0, &status) != 0) {
      throw WeightsError(fmt::format("{}: record {} of the zip directory is damaged", source_, index));
    }
    if (leads_elsewhere(name) || !is_plain_text(name)) {
      throw WeightsError(
          fmt::format("{}: a record is named {}, which PyTorch does not write", source_, quoted_name(name)));
    }
    if (!records_.emplace(name, index).second) {
      throw WeightsError(fmt::format("{}: two records are named {}", source_, quoted_name(name)));
    }
    // Records that share bytes would let a small file ask for any amount of memory.
    if (status.comp_size > file_size_ - total) {
      throw WeightsError(fmt::format("{}: its records claim more bytes than the file has, up to {}", source_,
                                     quoted_name(name)));
    }
    total += status.comp_size;
  }
}

std::uint64_t ZipArchive::size(const std::string& name) const {
  zip_stat_t status;
  if (zip_stat_index(archive_.get(), records_.at(name), 0, &status) != 0) {
    throw WeightsError(fmt::format("{}: record {} is damaged", source_, quoted_name(name)));
  }
  return status.size;
}

ZipRecord ZipArchive::read(const std::string& name) const {
  const auto fail = [&](const std::string& what) {
    throw WeightsError(fmt::format("{}: record {} {}", source_, quoted_name(name), what));
  };
  const auto found = records_.find(name);
  if (found == records_.end()) fail("is missing");
  zip_stat_t status;
  if (zip_stat_index(archive_.get(), found->second, 0, &status) != 0) fail("is damaged");
  if (status.encryption_method != ZIP_EM_NONE) fail("is encrypted; save the weights without a password");
  if (status.comp_method != ZIP_CM_STORE || status.comp_size != status.size) {
    fail("is compressed; PyTorch stores weights uncompressed: save them again with torch.save");
  }
  const std::unique_ptr<zip_file_t, decltype(&zip_fclose)> file(
      zip_fopen_index(archive_.get(), found->second, 0), zip_fclose);
  if (file == nullptr) fail(fmt::format("cannot be read ({})", zip_strerror(archive_.get())));
  const auto owner = allocate_tensor_memory(status.size, source_);
  std::uint64_t done = 0;
  while (done < status.size) {
    const zip_int64_t count = zip_fread(file.get(), owner.get() + done, status.size - done);
    if (count <= 0) fail(fmt::format("cannot be read ({})", zip_file_strerror(file.get())));
    done += static_cast<std::uint64_t>(count);
  }
  // libzip compares the CRC when it meets the end, which only a further read does.
  std::byte beyond{};
  if (zip_fread(file.get(), &beyond, 1) != 0)
    fail(fmt::format("is damaged ({})", zip_file_strerror(file.get())));
  return {owner, {owner.get(), status.size}};
}

}  // namespace actionclip
