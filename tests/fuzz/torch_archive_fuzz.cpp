// Archives of torch.save and torch.jit.save. By its first byte, an input is a zip file as it stands, or the
// pickle and the record of a well-formed one (checksums would stop almost every mutation of a zip file at the
// first step), or changes of the pickle of a valid one.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "actionclip/core/error.h"

#include "tests/fuzz/edits.h"
#include "tests/weights/valid_files.h"
#include "weights/torch_archive.h"

namespace actionclip {
namespace {

std::string file_of(std::span<const std::uint8_t> input) {
  static const std::vector<Records> valid = valid_archives();
  const std::uint8_t kind = input[0];
  const auto rest = input.subspan(1);
  if (kind % 4 == 2) {
    Records records = valid[kind / 4 % valid.size()];
    records[0].data = edited(records[0].data, rest);
    return build_zip(records);
  }
  const std::string file(rest.begin(), rest.end());
  if (kind % 2 == 0) return file;
  const std::size_t record = std::min<std::size_t>(kind / 2, file.size());
  Records records{{.name = "m/data.pkl", .data = file.substr(record)},
                  {.name = "m/data/0", .data = file.substr(0, record)}};
  if (kind >= 128) records.push_back({.name = "m/constants.pkl", .data = ""});
  return build_zip(records);
}

}  // namespace
}  // namespace actionclip

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace actionclip;
  if (size == 0) return 0;
  const std::string file = file_of({data, size});
  try {
    sum_of_bytes(read_torch_archive(ZipArchive(MemorySource(bytes_of(file), "fuzz"))));
  } catch (const WeightsError&) {
  }
  return 0;
}
