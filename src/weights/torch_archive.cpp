#include "weights/torch_archive.h"

#include <string_view>

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
    if (found == storages_.end())
      return storages_.emplace(name, Storage{storage.dtype, archive_.read(name)}).first->second.record;
    if (found->second.dtype != storage.dtype) {
      fail(fmt::format("holds {} for one tensor and {} for another", dtype_name(found->second.dtype),
                       dtype_name(storage.dtype)));
    }
    return found->second.record;
  }

 private:
  struct Storage {
    DType dtype;
    ZipRecord record;
  };

  const ZipArchive& archive_;
  std::string prefix_;
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
std::map<std::string, std::shared_ptr<const PickledTensor>> describe_tensors(const ZipArchive& archive,
                                                                             const std::string& prefix,
                                                                             PickleDialect dialect) {
  const ZipRecord program = archive.read(prefix + "data.pkl");
  const std::string source = fmt::format("{}: {}data.pkl", archive.source(), prefix);
  return name_tensors(run_pickle(program.bytes, dialect, source), source);
}

}  // namespace

TensorFile read_torch_archive(const ZipArchive& archive) {
  const std::string prefix = find_prefix(archive);
  check_byte_order(archive, prefix);
  const bool script = archive.contains(prefix + "constants.pkl");
  TensorFile file{
      .format = script ? WeightsFormat::torchscript : WeightsFormat::pickle, .tensors = {}, .metadata = {}};
  StorageReader storages(archive, prefix);
  for (const auto& [name, tensor] :
       describe_tensors(archive, prefix, script ? PickleDialect::kTorchScript : PickleDialect::kState)) {
    file.tensors.emplace(name, view_of(*tensor, storages.read(tensor->storage, name)));
  }
  return file;
}

}  // namespace actionclip
