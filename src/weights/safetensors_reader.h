// Reading safetensors from memory, for read_safetensors and for tests.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "actionclip/weights/tensor_file.h"

namespace actionclip {

// As read_safetensors, for a file that lies in memory kept alive by `owner`; `source` names it in errors.
TensorFile parse_safetensors(std::span<const std::byte> file, const std::shared_ptr<const void>& owner,
                             std::string_view source);

}  // namespace actionclip
