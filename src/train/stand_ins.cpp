#include "stand_ins.h"

#include <stdexcept>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace actionclip {
namespace {

constexpr std::int64_t kByteValues = 256;
constexpr std::int64_t kLabels = 4;
constexpr std::int64_t kFrames = 300;
constexpr std::int64_t kWidth = 320, kHeight = 256;

bool may_have_several_labels(ListFormat format) {
  return format == ListFormat::charades || format == ListFormat::table;
}

// Stripes whose place and colour tell videos and moments apart.
Image draw(std::int64_t video, std::int64_t frame) {
  Image image{.width = kWidth, .height = kHeight};
  image.rgb.reserve(static_cast<std::size_t>(kWidth * kHeight * 3));
  for (std::int64_t y = 0; y < kHeight; ++y) {
    for (std::int64_t x = 0; x < kWidth; ++x) {
      for (const std::int64_t value : {2 * x + 5 * frame, 3 * y + 64 * video, x + y + frame})
        image.rgb.push_back(static_cast<std::uint8_t>(value & 0xff));
    }
  }
  return image;
}

}  // namespace

ByteTokenizer::ByteTokenizer(std::int64_t vocabulary_size, std::optional<std::int64_t> end_token)
    : vocabulary_size_(vocabulary_size), end_token_(end_token.value_or(vocabulary_size - 1)) {
  if (vocabulary_size < kByteValues + 2 || end_token_ < 0 || end_token_ >= vocabulary_size) {
    throw std::invalid_argument(fmt::format(
        "bytes do not fit into a vocabulary of {} entries with the end {}", vocabulary_size, end_token_));
  }
}

std::vector<std::int64_t> ByteTokenizer::encode(std::string_view text) const {
  std::vector<std::int64_t> tokens = {vocabulary_size_ - 2};
  for (const char byte : text) {
    const std::int64_t token = static_cast<unsigned char>(byte);
    if (token != end_token_) tokens.push_back(token);
  }
  tokens.push_back(end_token_);
  return tokens;
}

LabelSet made_up_labels() {
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < kLabels; ++i) names.push_back(fmt::format("action {}", i));
  return LabelSet(std::move(names), {}, "made-up labels");
}

VideoList made_up_list(const DatasetConfig& config, const LabelSet* labels, std::int64_t videos) {
  VideoList list(config);
  for (std::int64_t i = 0; i < videos; ++i) {
    VideoEntry entry{.path = fmt::format("video-{}.mp4", i), .line = i + 1};
    if (labels == nullptr) {
      entry.caption = fmt::format("picture {}", i);
    } else {
      entry.label_ids.push_back(static_cast<std::int32_t>(i % labels->size()));
      if (i % 2 == 1 && labels->size() > 1 && may_have_several_labels(config.format))
        entry.label_ids.push_back(static_cast<std::int32_t>((i + 1) % labels->size()));
    }
    list.add(entry);
  }
  return list;
}

ChosenFrames made_up_frames(const VideoEntry& entry, const FrameChooser& choose) {
  ChosenFrames chosen{.frame_count = kFrames};
  for (const std::int64_t frame : choose(kFrames)) chosen.frames.push_back(draw(entry.line, frame));
  return chosen;
}

}  // namespace actionclip
