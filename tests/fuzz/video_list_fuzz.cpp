// Any bytes are either refused with Error or become a list, in every format that is a text; what a list holds
// is what the rest may rely on. The first byte chooses the format. Kinetics' videos would be looked for on
// the disk: its rows are read by annotations_fuzz.cpp.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "actionclip/core/error.h"
#include "actionclip/video/sampler.h"
#include "actionclip/video/video_list.h"

namespace {

using namespace actionclip;

constexpr std::array kFormats = {ListFormat::video, ListFormat::frames,   ListFormat::captions,
                                 ListFormat::table, ListFormat::charades, ListFormat::something_something};
constexpr std::int32_t kLabels = 10;

void require(bool holds) {
  if (!holds) std::abort();
}

void check(const VideoEntry& entry, ListFormat format) {
  require(!entry.path.empty() && entry.line >= 1);
  require(entry.range.start >= 0 && entry.range.start < entry.range.end);
  require(entry.label_ids.empty() == (format == ListFormat::captions));
  require(entry.caption.empty() == (format != ListFormat::captions));
  for (const auto id : entry.label_ids) require(id >= 0 && id < kLabels);
  if (entry.frame_count != -1) sample_test_frames(entry.frame_count, 8, 9, 10);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const LabelSet labels(
      {"a", "riding a bike", "Holding something", "ab", "a b", "c", "d", "e", "f", "g"});
  if (size == 0) return 0;
  DatasetConfig config;
  config.list.path = "/lists/fuzz.txt";
  config.format = kFormats[data[0] % kFormats.size()];
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    const auto list = parse_video_list(text, config, &labels);
    require(!list.empty());
    for (std::int64_t i = 0; i < list.size(); ++i) {
      const auto entry = list.entry(i);
      check(entry, config.format);
      require(entry.label_id() == list.label_id(i) && entry.label_ids.size() == list.label_count(i));
    }
  } catch (const Error&) {
  }
  return 0;
}
