// safetensors files. By its first byte, an input is the file, or the header and data of one whose header
// length fits, or changes of a valid one.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "actionclip/core/error.h"

#include "tests/fuzz/edits.h"
#include "tests/weights/valid_files.h"
#include "weights/safetensors_reader.h"

namespace actionclip {
namespace {

std::string file_of(std::span<const std::uint8_t> input) {
  static const std::string valid = valid_safetensors();
  const std::uint8_t kind = input[0];
  const auto rest = input.subspan(1);
  std::string file(rest.begin(), rest.end());
  if (kind % 4 == 2) return edited(valid, rest);
  if (kind % 2 == 0) return file;
  // Random lengths almost never fit the file; the first byte picks how much of the rest is data.
  const std::size_t data_size = std::min<std::size_t>(kind / 2, file.size());
  return little_endian(file.size() - data_size, 8) + file;
}

}  // namespace
}  // namespace actionclip

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace actionclip;
  if (size == 0) return 0;
  const std::string file = file_of({data, size});
  try {
    sum_of_bytes(parse_safetensors(MemorySource(bytes_of(file), "fuzz")));
  } catch (const WeightsError&) {
  }
  return 0;
}
