#include "actionclip/weights/tensor_hash.h"

#include <fmt/format.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/weights/tensor_file.h"

namespace actionclip {

std::string tensor_hash(const at::Tensor& tensor) {
  if (!tensor.defined()) return "none";
  const auto values = tensor.cpu().contiguous();
  return fmt::format("{} {}", shape_string(values.sizes().vec()),
                     sha256_of({static_cast<const char*>(values.const_data_ptr()), values.nbytes()}));
}

}  // namespace actionclip
