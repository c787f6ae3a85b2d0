// safetensors files: the input is the file; half of the inputs get a header length that fits.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "actionclip/core/error.h"

#include "tests/weights/bytes.h"
#include "weights/safetensors_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace actionclip;
  if (size == 0) return 0;
  std::string file(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 2 == 1) {
    // Random lengths almost never fit the file; the byte ahead of the header picks how much of the rest is
    // data.
    const std::size_t data_size = std::min<std::size_t>(data[0] / 2, file.size());
    file = little_endian(file.size() - data_size, 8) + file;
  }
  try {
    sum_of_bytes(parse_safetensors(bytes_of(file), nullptr, "fuzz"));
  } catch (const WeightsError&) {
  }
  return 0;
}
