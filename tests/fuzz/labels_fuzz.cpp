// Any bytes are either refused with Error or become a label set, as CSV and as text.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "actionclip/core/error.h"
#include "actionclip/text/labels.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const char* name : {"fuzz.csv", "fuzz.txt"}) {
    try {
      if (actionclip::parse_labels(text, name).size() < 1) std::abort();
    } catch (const actionclip::Error&) {
    }
  }
  return 0;
}
