// Reading safetensors from a file that is open, or from memory.
#pragma once

#include "actionclip/weights/tensor_file.h"

#include "weights/byte_source.h"

namespace actionclip {

// As read_safetensors.
TensorFile parse_safetensors(const ByteSource& file);

}  // namespace actionclip
