#include "actionclip/weights/tensor_convert.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <utility>

#include <ATen/Functions.h>
#include <fmt/format.h>

#include "actionclip/core/error.h"

#include "weights/byte_source.h"

namespace actionclip {
namespace {

at::ScalarType scalar_type(DType dtype) {
  switch (dtype) {
    case DType::kFloat64:
      return at::kDouble;
    case DType::kFloat32:
      return at::kFloat;
    case DType::kFloat16:
      return at::kHalf;
    case DType::kBFloat16:
      return at::kBFloat16;
    case DType::kInt64:
      return at::kLong;
    case DType::kInt32:
      return at::kInt;
    case DType::kInt16:
      return at::kShort;
    case DType::kInt8:
      return at::kChar;
    case DType::kUInt8:
      return at::kByte;
    case DType::kBool:
      return at::kBool;
  }
  throw WeightsError("a tensor of an unknown type");
}

DType dtype_of(at::ScalarType type) {
  for (const auto dtype : {DType::kFloat64, DType::kFloat32, DType::kFloat16, DType::kBFloat16, DType::kInt64,
                           DType::kInt32, DType::kInt16, DType::kInt8, DType::kUInt8, DType::kBool}) {
    if (scalar_type(dtype) == type) return dtype;
  }
  throw WeightsError(
      fmt::format("a tensor of type {} cannot be stored in a weights file", at::toString(type)));
}

// Elements from the first to the last one that the view can reach.
std::int64_t reach(const TensorData& data) {
  std::int64_t last = 0;
  for (std::size_t i = 0; i < data.shape.size(); ++i) last += (data.shape[i] - 1) * data.strides[i];
  return last + 1;
}

void require_bytes(const TensorData& data, std::size_t needed) {
  if (needed <= data.bytes.size()) return;
  throw WeightsError(fmt::format("a tensor of shape {} needs {} bytes, has {}", shape_string(data.shape),
                                 needed, data.bytes.size()));
}

bool is_aligned(const TensorData& data) {
  return reinterpret_cast<std::uintptr_t>(data.bytes.data()) % kTensorAlignment == 0;
}

// Whether libtorch may have the memory: nothing else uses it, it is as libtorch's own would be, and the view
// uses most of it.
bool may_take_over(const TensorData& data) {
  constexpr std::int64_t kSparse = 16;
  return data.owns_bytes && data.owner.use_count() == 1 && is_aligned(data) && data.element_count() > 0 &&
         static_cast<std::int64_t>(data.bytes.size() / item_size(data.dtype)) / kSparse <
             data.element_count();
}

// The elements of `data` where they lie.
at::Tensor view_of(const TensorData& data, const std::function<void(void*)>& release) {
  require_bytes(data, static_cast<std::size_t>(reach(data)) * item_size(data.dtype));
  return at::from_blob(const_cast<std::byte*>(data.bytes.data()), data.shape, data.strides, release,
                       scalar_type(data.dtype));
}

}  // namespace

at::Tensor to_tensor(const TensorData& data) {
  const auto type = scalar_type(data.dtype);
  if (data.element_count() == 0) return at::empty(data.shape, type);
  if (is_aligned(data)) return view_of(data, [](void*) {}).clone(at::MemoryFormat::Contiguous);
  const auto flat = at::empty({reach(data)}, type);
  require_bytes(data, flat.nbytes());
  std::memcpy(flat.mutable_data_ptr(), data.bytes.data(), flat.nbytes());
  return flat.as_strided(data.shape, data.strides).contiguous();
}

at::Tensor to_tensor(TensorData&& data) {
  if (!may_take_over(data)) {
    auto copy = to_tensor(std::as_const(data));
    data = TensorData();  // a storage must not stay beside the copies of all its views
    return copy;
  }
  auto view = view_of(data, [owner = data.owner](void*) {});
  data = TensorData();
  return view;
}

TensorData from_tensor(const at::Tensor& tensor) {
  const auto owner = std::make_shared<at::Tensor>(tensor.detach().cpu().contiguous());
  TensorData data;
  data.dtype = dtype_of(owner->scalar_type());
  data.shape = owner->sizes().vec();
  data.strides = contiguous_strides(data.shape);
  data.bytes = std::span(static_cast<const std::byte*>(owner->const_data_ptr()), owner->nbytes());
  data.owner = owner;
  return data;
}

NamedTensors to_tensors(TensorFile file) {
  NamedTensors tensors;
  auto all = std::move(file.tensors);
  for (auto& [name, data] : all) tensors.emplace_back(name, to_tensor(std::move(data)));
  return tensors;
}

NamedTensorData from_tensors(const NamedTensors& tensors) {
  NamedTensorData data;
  for (const auto& [name, tensor] : tensors) data.emplace_back(name, from_tensor(tensor));
  return data;
}

}  // namespace actionclip
