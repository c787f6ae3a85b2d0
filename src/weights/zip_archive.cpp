#include "weights/zip_archive.h"

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

}  // namespace

ZipArchive::ZipArchive(const std::filesystem::path& path) : source_(path.string()) {
  ZipError error;
  zip_source_t* file = zip_source_file_create(path.c_str(), 0, -1, error.get());
  if (file == nullptr) throw WeightsError(fmt::format("cannot read {}: {}", source_, error.text()));
  open(file);
}

ZipArchive::ZipArchive(std::span<const std::byte> bytes, std::string source) : source_(std::move(source)) {
  ZipError error;
  zip_source_t* buffer = zip_source_buffer_create(bytes.data(), bytes.size(), 0, error.get());
  if (buffer == nullptr) throw WeightsError(fmt::format("cannot read {}: {}", source_, error.text()));
  open(buffer);
}

void ZipArchive::open(zip_source* source) {
  zip_stat_t status;
  zip_stat_init(&status);
  if (zip_source_stat(source, &status) == 0 && (status.valid & ZIP_STAT_SIZE) != 0) file_size_ = status.size;
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
  const auto owner = std::make_shared_for_overwrite<std::byte[]>(status.size);
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
