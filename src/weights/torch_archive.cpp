#include "weights/torch_archive.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "actionclip/core/error.h"

#include "weights/pickle_tensors.h"
#include "weights/tensor_bounds.h"

namespace actionclip {
namespace {

// "<prefix>/" of the only <prefix>/data.pkl.
std::string find_prefix(const ZipArchive& archive) {
  constexpr std::string_view kEnd = "/data.pkl";
  std::string prefix;
  for (const auto& [name, index] : archive.records()) {
    if (!name.ends_with(kEnd) || name.find('/') != name.size() - kEnd.size()) continue;
    if (!prefix.empty()) throw WeightsError(fmt::format("{}: more than one data.pkl", archive.source()));
    prefix = name.substr(0, name.size() - kEnd.size() + 1);
  }
  if (prefix.empty()) {
    throw WeightsError(
        fmt::format("{}: a zip archive without data.pkl, so not written by torch.save or torch.jit.save",
                    archive.source()));
  }
  return prefix;
}

void check_byte_order(const ZipArchive& archive, const std::string& prefix) {
  const std::string name = prefix + "byteorder";
  if (!archive.contains(name)) return;  // PyTorch 1 did not write it
  const ZipRecord record = archive.read(name);
  const std::string_view text(reinterpret_cast<const char*>(record.bytes.data()), record.bytes.size());
  if (text != "little") {
    throw WeightsError(fmt::format("{}: byte order {} is not supported, \"little\" is", archive.source(),
                                   quoted_name(text)));
  }
}

// Reads each storage once.
class StorageReader {
 public:
  StorageReader(const ZipArchive& archive, std::string prefix)
      : archive_(archive), prefix_(std::move(prefix)) {}

  ZipRecord read(const PickledStorage& storage, const std::string& tensor) {
    const std::string name = prefix_ + "data/" + storage.key;
    const auto fail = [&](const std::string& what) {
      throw WeightsError(fmt::format("{}: tensor {}: record {} {}", archive_.source(), quoted_name(tensor),
                                     quoted_name(name), what));
    };
    if (!archive_.contains(name)) fail("is missing");
    const auto item = static_cast<std::int64_t>(item_size(storage.dtype));
    const auto size = static_cast<std::int64_t>(archive_.size(name));
    if (size % item != 0 || size / item != storage.element_count) {
      fail(fmt::format("has {} bytes, but {} elements of {} bytes are announced", size, storage.element_count,
                       item));
    }
    const auto found = storages_.find(name);
    if (found == storages_.end()) {
      bytes_ += archive_.size(name);
      return storages_.emplace(name, Storage{storage.dtype, archive_.read(name)}).first->second.record;
    }
    if (found->second.dtype != storage.dtype) {
      fail(fmt::format("holds {} for one tensor and {} for another", dtype_name(found->second.dtype),
                       dtype_name(storage.dtype)));
    }
    return found->second.record;
  }

  std::uint64_t bytes() const { return bytes_; }  // of all storages that were read

 private:
  struct Storage {
    DType dtype;
    ZipRecord record;
  };

  const ZipArchive& archive_;
  std::string prefix_;
  std::uint64_t bytes_ = 0;
  std::map<std::string, Storage> storages_;
};

TensorData view_of(const PickledTensor& tensor, const ZipRecord& record) {
  TensorData data{tensor.storage.dtype, tensor.shape, tensor.strides, {}, record.owner};
  if (data.element_count() == 0) return data;
  std::int64_t last = 0;
  for (std::size_t i = 0; i < tensor.shape.size(); ++i) last += (tensor.shape[i] - 1) * tensor.strides[i];
  const std::size_t item = item_size(tensor.storage.dtype);
  data.bytes = record.bytes.subspan(static_cast<std::size_t>(tensor.offset) * item,
                                    static_cast<std::size_t>(last + 1) * item);
  data.owns_bytes = data.bytes.size() == record.bytes.size();
  return data;
}

// What data.pkl says.
struct Contents {
  std::map<std::string, std::shared_ptr<const PickledTensor>> tensors;
  bool empty_fusion_head = false;
};

Contents read_contents(const ZipArchive& archive, const std::string& prefix, PickleDialect dialect) {
  const ZipRecord program = archive.read(prefix + "data.pkl");
  const std::string source = fmt::format("{}: {}data.pkl", archive.source(), prefix);
  const PickleDocument document = run_pickle(program.bytes, dialect, source);
  return {.tensors = name_tensors(document, source),
          .empty_fusion_head = holds_empty_dictionary(document, "fusion_model_state_dict")};
}

// Each view of a storage becomes a tensor of its own, so that many of one would let a small file ask for any
// amount of memory. Tied weights, and a state dict that is held twice, stay far below.
void require_little_sharing(const TensorFile& file, std::uint64_t stored, const std::string& source) {
  constexpr std::uint64_t kSpare = 16u << 20;
  std::uint64_t viewed = 0;
  for (const auto& [name, tensor] : file.tensors)
    viewed += static_cast<std::uint64_t>(tensor.element_count()) * item_size(tensor.dtype);
  if (viewed <= 2 * stored + kSpare) return;
  throw WeightsError(
      fmt::format("{}: its {} tensors share their storages: they have {} bytes, the file holds {} of them; "
                  "save a state dict of copies (tensor.clone()), each tensor once",
                  source, file.tensors.size(), viewed, stored));
}

}  // namespace

TensorFile read_torch_archive(const ZipArchive& archive) {
  const std::string prefix = find_prefix(archive);
  check_byte_order(archive, prefix);
  const bool script = archive.contains(prefix + "constants.pkl");
  const Contents contents =
      read_contents(archive, prefix, script ? PickleDialect::kTorchScript : PickleDialect::kState);
  TensorFile file{.format = script ? WeightsFormat::torchscript : WeightsFormat::pickle,
                  .tensors = {},
                  .metadata = {},
                  .empty_fusion_head = contents.empty_fusion_head};
  StorageReader storages(archive, prefix);
  for (const auto& [name, tensor] : contents.tensors)
    file.tensors.emplace(name, view_of(*tensor, storages.read(tensor->storage, name)));
  require_little_sharing(file, storages.bytes(), archive.source());
  return file;
}

}  // namespace actionclip
