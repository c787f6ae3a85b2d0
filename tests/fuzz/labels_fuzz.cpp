// Any bytes are either refused with Error or become a label set, as CSV, as JSON and as text; every name of a
// set is matched to itself.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "actionclip/core/error.h"
#include "actionclip/text/label_matcher.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace actionclip;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const char* name : {"fuzz.csv", "fuzz.json", "fuzz.txt"}) {
    try {
      const auto labels = parse_labels(text, name);
      if (labels.size() < 1) std::abort();
      const LabelMatcher matcher(labels);
      for (std::int64_t id = 0; id < labels.size(); ++id) {
        if (matcher.match(labels.name(id)) != id) std::abort();
      }
    } catch (const Error&) {
    }
  }
  return 0;
}
