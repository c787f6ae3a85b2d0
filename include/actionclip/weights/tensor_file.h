// The tensors of a weights file, without libtorch: names, types, shapes and bytes. Reading never executes
// anything from the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace actionclip {

enum class DType { kFloat64, kFloat32, kFloat16, kBFloat16, kInt64, kInt32, kInt16, kInt8, kUInt8, kBool };

std::size_t item_size(DType dtype);
std::string_view dtype_name(DType dtype);  // safetensors' names: "F32", "BF16", "I64", ...
std::optional<DType> dtype_from_name(std::string_view name);

// One tensor: a strided view into memory that `owner` keeps alive. Every element it can reach lies inside
// `bytes` (checked by readers). `bytes` need not be aligned to the item size.
struct TensorData {
  DType dtype = DType::kFloat32;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;  // in elements; row-major contiguous unless the file says otherwise
  std::span<const std::byte> bytes;   // starts at the first element
  std::shared_ptr<const void> owner;
  // `owner` holds `bytes` and nothing else, in memory that may be written to: who has the only copy of
  // `owner` may take it over.
  bool owns_bytes = false;

  std::int64_t element_count() const;
};

std::vector<std::int64_t> contiguous_strides(const std::vector<std::int64_t>& shape);
std::string shape_string(const std::vector<std::int64_t>& shape);  // "[512, 768]"

// What the bytes were stored as.
enum class WeightsFormat { safetensors, torchscript, pickle };

struct TensorFile {
  WeightsFormat format = WeightsFormat::safetensors;
  std::map<std::string, TensorData> tensors;
  std::map<std::string, std::string> metadata;  // safetensors' __metadata__
  // A pickle's outermost dictionary holds "fusion_model_state_dict": {}, which gives no tensor a name:
  // published ActionCLIP with meanP.
  bool empty_fusion_head = false;
};

// Opens any supported file and tells the format by its content: safetensors, or a zip archive of PyTorch (a
// state dict pickled by torch.save, possibly nested: {"model_state_dict": {...}, "fusion_model_state_dict":
// {...}}; a TorchScript archive such as OpenAI's). Nested dictionaries and lists give names joined by '/':
// "model_state_dict/visual.proj", "optimizer/state/0/exp_avg"; the submodules of a TorchScript archive give
// the names of its state dict: "visual.ln_pre.weight". Throws WeightsError, also for
// tensors that share their storages so much that copies of them would take more than twice the file's bytes
// and 16 MiB.
TensorFile read_tensor_file(const std::filesystem::path& path);

// Throws WeightsError, which names the checkpoints to take instead, if `folder` is a run's and not a
// checkpoint's.
void refuse_run_folder(const std::filesystem::path& folder);

}  // namespace actionclip
