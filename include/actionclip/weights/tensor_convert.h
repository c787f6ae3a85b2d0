// Between libtorch's tensors and the torch-free TensorData of weights files.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "actionclip/weights/safetensors.h"
#include "actionclip/weights/tensor_file.h"

namespace actionclip {

// Tensors in an order of their own, each with its name.
using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

// A contiguous CPU tensor with the values of `data`, in memory of its own. Throws WeightsError if `data`
// reaches outside its bytes.
at::Tensor to_tensor(const TensorData& data);

// The same, but without a copy where nothing else uses the memory of `data` (it came from a file, and no
// other tensor shares its storage): then a view of it, with the strides of `data`. `data` holds nothing then:
// a shared storage goes with its last view.
at::Tensor to_tensor(TensorData&& data);

// Row-major view of `tensor`, which it keeps alive. Shares the memory of a contiguous CPU tensor; copies
// another one first. Throws WeightsError for a type that weights files do not know (complex, quantised).
TensorData from_tensor(const at::Tensor& tensor);

// The same for many; the names of a file come sorted. Tensors of a file that is moved here are not copied.
NamedTensors to_tensors(TensorFile file);
NamedTensorData from_tensors(const NamedTensors& tensors);

}  // namespace actionclip
