// Any bytes are either refused with Error or become a list, in every format; frame counts stay within what
// the sampler takes.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "actionclip/core/error.h"
#include "actionclip/video/sampler.h"
#include "actionclip/video/video_list.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace actionclip;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto format : {ListFormat::video, ListFormat::frames, ListFormat::captions}) {
    DatasetConfig config;
    config.list.path = "/lists/fuzz.txt";
    config.format = format;
    try {
      const auto list = parse_video_list(text, config, /*label_count=*/10);
      if (list.entries.empty()) std::abort();
      for (const auto& entry : list.entries) {
        if (entry.path.empty() || entry.line < 1) std::abort();
        if (format == ListFormat::frames) sample_test_frames(entry.frame_count, 8, 9, 10);
      }
    } catch (const Error&) {
    }
  }
  return 0;
}
