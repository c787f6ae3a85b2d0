// Archives of torch.save. An input is either a zip file as it stands, or (first byte odd) the pickle and the
// record of a well-formed one: checksums would stop almost every mutation of a zip file at the first step.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "actionclip/core/error.h"

#include "tests/weights/zip_builder.h"
#include "weights/torch_archive.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace actionclip;
  if (size == 0) return 0;
  std::string file(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 2 == 1) {
    const std::size_t record = std::min<std::size_t>(data[0] / 2, file.size());
    std::vector<ZipEntry> entries{{.name = "m/data.pkl", .data = file.substr(record)},
                                  {.name = "m/data/0", .data = file.substr(0, record)}};
    if (data[0] >= 128) entries.push_back({.name = "m/constants.pkl", .data = ""});
    file = build_zip(entries);
  }
  try {
    sum_of_bytes(read_torch_archive(ZipArchive(bytes_of(file), "fuzz")));
  } catch (const WeightsError&) {
  }
  return 0;
}
