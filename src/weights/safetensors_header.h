// The JSON header of a safetensors file.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "actionclip/weights/tensor_file.h"

namespace actionclip {

struct SafetensorsEntry {
  DType dtype = DType::kFloat32;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;  // bytes from the start of the data section
  std::uint64_t end = 0;
};

struct SafetensorsHeader {
  std::map<std::string, SafetensorsEntry> entries;
  std::map<std::string, std::string> metadata;
};

inline constexpr std::string_view kSafetensorsMetadataKey = "__metadata__";
// The format allows 100 MB. Ten thousand tensors take 1 MB, and what is parsed takes several times its size.
inline constexpr std::uint64_t kMaxSafetensorsHeader = 16u << 20;

// Parses the JSON text. Whether the tensors fit the data section is for the caller to check. `source` names
// the file in errors. Memory stays within 40 MiB whatever the text says. Throws WeightsError.
SafetensorsHeader parse_safetensors_header(std::string_view json, std::string_view source);

}  // namespace actionclip
