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
    if (!archive_.contains(name)) {
      throw WeightsError(fmt::format("{}: tensor {}: record {} is missing", archive_.source(),
                                     quoted_name(tensor), quoted_name(name)));
    }
    const auto item = static_cast<std::int64_t>(item_size(storage.dtype));
    const auto size = static_cast<std::int64_t>(archive_.size(name));
    if (size % item != 0 || size / item != storage.element_count) {
      throw WeightsError(fmt::format(
          "{}: tensor {}: record {} has {} bytes, but {} elements of {} bytes are announced",
          archive_.source(), quoted_name(tensor), quoted_name(name), size, storage.element_count, item));
    }
    const auto found = records_.find(name);
    return found != records_.end() ? found->second
                                   : records_.emplace(name, archive_.read(name)).first->second;
  }

 private:
  const ZipArchive& archive_;
  std::string prefix_;
  std::map<std::string, ZipRecord> records_;
};

TensorData view_of(const PickledTensor& tensor, const ZipRecord& record) {
  TensorData data{tensor.storage.dtype, tensor.shape, tensor.strides, {}, record.owner};
  if (data.element_count() == 0) return data;
  std::int64_t last = 0;
  for (std::size_t i = 0; i < tensor.shape.size(); ++i) last += (tensor.shape[i] - 1) * tensor.strides[i];
  const std::size_t item = item_size(tensor.storage.dtype);
  data.bytes = record.bytes.subspan(static_cast<std::size_t>(tensor.offset) * item,
                                    static_cast<std::size_t>(last + 1) * item);
  return data;
}

}  // namespace

TensorFile read_torch_archive(const ZipArchive& archive) {
  const std::string prefix = find_prefix(archive);
  check_byte_order(archive, prefix);
  const bool script = archive.contains(prefix + "constants.pkl");
  const ZipRecord program = archive.read(prefix + "data.pkl");
  const std::string source = fmt::format("{}: {}data.pkl", archive.source(), prefix);
  const PickleDocument document =
      run_pickle(program.bytes, script ? PickleDialect::kTorchScript : PickleDialect::kState, source);

  TensorFile file{
      .format = script ? WeightsFormat::torchscript : WeightsFormat::pickle, .tensors = {}, .metadata = {}};
  StorageReader storages(archive, prefix);
  for (const auto& [name, tensor] : name_tensors(document, source)) {
    file.tensors.emplace(name, view_of(*tensor, storages.read(tensor->storage, name)));
  }
  return file;
}

}  // namespace actionclip
