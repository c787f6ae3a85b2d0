// Pickles as programs of the restricted machine, in both dialects.
#include <cstddef>
#include <cstdint>
#include <span>

#include "actionclip/core/error.h"

#include "weights/pickle_tensors.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace actionclip;
  const auto program = std::as_bytes(std::span(data, size));
  for (const PickleDialect dialect : {PickleDialect::kState, PickleDialect::kTorchScript}) {
    try {
      name_tensors(run_pickle(program, dialect, "fuzz"), "fuzz");
    } catch (const WeightsError&) {
    }
  }
  return 0;
}
