#include "video/list_formats/list_text.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "actionclip/core/error.h"
#include "actionclip/core/text_input.h"
#include "actionclip/video/sampler.h"

namespace actionclip {

std::string_view checked_text(std::string_view text, const std::string& file) {
  text = without_byte_order_mark(text);
  if (const auto zero = text.find('\0'); zero != std::string_view::npos) {
    fail_at(file, 1 + std::ranges::count(text.substr(0, zero), '\n'),
            "holds a zero byte, so it is not a text file");
  }
  return text;
}

void fail_at(const std::string& file, std::int64_t line, std::string_view message) {
  throw Error(fmt::format("{}:{}: {}", file, line, message));
}

std::int32_t checked_label_id(const ListText& source, std::int64_t line, std::int64_t label_id) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  const std::int64_t last = source.labels != nullptr ? source.labels->size() - 1 : kMost;
  if (label_id < 0 || label_id > last)
    fail_at(source.file, line, fmt::format("label id {} is not in 0..{}", label_id, last));
  return static_cast<std::int32_t>(label_id);
}

std::int64_t parse_frame_count(const ListText& source, std::int64_t line, std::string_view text,
                               std::string_view hint) {
  const auto count = parse_integer(text);
  if (!count || *count <= 0) {
    fail_at(source.file, line, fmt::format("frame count '{}' is not a positive integer{}", text, hint));
  }
  if (*count > kMaxFrameCount) {
    fail_at(source.file, line,
            fmt::format("frame count {} is more than the {} that a video may have", *count, kMaxFrameCount));
  }
  return *count;
}

const LabelSet& required_labels(const LabelSet* labels, const std::string& file) {
  if (labels == nullptr)
    throw Error(fmt::format("{}: names its classes, so their ids are needed; {}", file, kGiveLabels));
  return *labels;
}

}  // namespace actionclip
