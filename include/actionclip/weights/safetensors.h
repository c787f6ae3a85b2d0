// safetensors files: strict reading, deterministic writing.
// Written here because no packaged C++ reader refuses all that the format forbids (overlaps, holes, duplicate
// keys). Format: 8 bytes little-endian header length N (at most 100 MB; here 16 MiB), N bytes of JSON
// starting with '{' and padded with spaces, then data.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "actionclip/weights/tensor_file.h"

namespace actionclip {

// Reads each tensor into memory of its own. Refuses, before it reads any: bad header length, JSON or UTF-8,
// duplicate keys, names with control characters, unknown types, negative or overflowing shapes, offsets out
// of range, overlaps, holes, trailing bytes. Throws WeightsError naming file and tensor.
TensorFile read_safetensors(const std::filesystem::path& path);

using NamedTensorData = std::vector<std::pair<std::string, TensorData>>;

// Writes contiguous tensors in the order given, atomically (temporary file, fsync, rename). Same input, same
// bytes. Throws Error if the file cannot be written, std::invalid_argument if a name repeats or a tensor is
// not contiguous.
void write_safetensors(const std::filesystem::path& path, const NamedTensorData& tensors,
                       const std::map<std::string, std::string>& metadata);

}  // namespace actionclip
