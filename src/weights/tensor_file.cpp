#include "actionclip/weights/tensor_file.h"

#include <algorithm>
#include <array>
#include <functional>
#include <numeric>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "actionclip/core/error.h"

#include "weights/byte_source.h"
#include "weights/safetensors_reader.h"
#include "weights/torch_archive.h"
#include "weights/weights_format.h"

namespace actionclip {
namespace {

struct DTypeRow {
  DType dtype;
  std::string_view name;
  std::size_t size;
};

constexpr std::array kDTypes{
    DTypeRow{DType::kFloat64, "F64", 8}, DTypeRow{DType::kFloat32, "F32", 4},
    DTypeRow{DType::kFloat16, "F16", 2}, DTypeRow{DType::kBFloat16, "BF16", 2},
    DTypeRow{DType::kInt64, "I64", 8},   DTypeRow{DType::kInt32, "I32", 4},
    DTypeRow{DType::kInt16, "I16", 2},   DTypeRow{DType::kInt8, "I8", 1},
    DTypeRow{DType::kUInt8, "U8", 1},    DTypeRow{DType::kBool, "BOOL", 1},
};

const DTypeRow& row_of(DType dtype) {
  return *std::find_if(kDTypes.begin(), kDTypes.end(),
                       [&](const DTypeRow& row) { return row.dtype == dtype; });
}

}  // namespace

std::size_t item_size(DType dtype) { return row_of(dtype).size; }

std::string_view dtype_name(DType dtype) { return row_of(dtype).name; }

std::optional<DType> dtype_from_name(std::string_view name) {
  for (const DTypeRow& row : kDTypes) {
    if (row.name == name) return row.dtype;
  }
  return std::nullopt;
}

std::int64_t TensorData::element_count() const {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

std::vector<std::int64_t> contiguous_strides(const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> strides(shape.size());
  std::int64_t stride = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= std::max<std::int64_t>(shape[i], 1);
  }
  return strides;
}

std::string shape_string(const std::vector<std::int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

TensorFile read_tensor_file(const std::filesystem::path& path) {
  const FileSource file(path);
  std::array<std::byte, 512> beginning{};
  const auto known = std::span(beginning).first(std::min<std::uint64_t>(file.size(), beginning.size()));
  file.read(0, known);
  if (detect_weights_container(known, file.name()) == WeightsContainer::kSafetensors)
    return parse_safetensors(file);
  return read_torch_archive(ZipArchive(file));
}

void refuse_run_folder(const std::filesystem::path& folder) {
  std::error_code absent;
  const auto checkpoints = folder / "checkpoints";
  if (!std::filesystem::is_directory(checkpoints, absent)) return;
  if (std::filesystem::exists(folder / "model.safetensors", absent)) return;
  std::vector<std::string> present;
  for (const char* name : {"best", "last"}) {
    if (std::filesystem::exists(checkpoints / name, absent)) present.push_back((checkpoints / name).string());
  }
  throw WeightsError(
      fmt::format("{}: is a run folder, not a checkpoint: {}", folder.string(),
                  present.empty() ? "it has none yet" : fmt::format("name {}", fmt::join(present, " or "))));
}

}  // namespace actionclip
