#pragma once

#include <string>

#include <ATen/core/Tensor.h>

namespace actionclip {

// Of a tensor on any device: its shape and the hexadecimal SHA-256 of its values, "[2, 3] 5f1c..."; "none" if
// it is undefined.
std::string tensor_hash(const at::Tensor& tensor);

}  // namespace actionclip
