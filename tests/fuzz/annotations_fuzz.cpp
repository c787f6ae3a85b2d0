// Any bytes are either refused with Error or become annotations. The first byte chooses the data set.
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "actionclip/core/error.h"
#include "actionclip/video/annotations.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace actionclip;
  static constexpr std::array kParsers = {&parse_kinetics_annotations, &parse_something_something_annotations,
                                          &parse_charades_annotations};
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    std::int64_t line = 0;
    kParsers[data[0] % kParsers.size()](text, "fuzz", [&](const Annotation& annotation) {
      if (annotation.id.empty() || annotation.line < line) std::abort();
      if (annotation.id.find('\0') != std::string::npos || !std::isfinite(annotation.start)) std::abort();
      for (const auto& label : annotation.labels) {
        if (label.empty()) std::abort();
      }
      line = annotation.line;
      return true;
    });
  } catch (const Error&) {
  }
  return 0;
}
