#include "actionclip/video/video_list.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"
#include "actionclip/core/text_input.h"

#include "video/list_formats/list_text.h"

namespace actionclip {
namespace {

constexpr std::size_t kOffsetBits = 20;
constexpr std::size_t kBlock = std::size_t{1} << kOffsetBits;  // bytes of text
constexpr std::size_t kMostBlocks = std::size_t{1} << (32 - kOffsetBits);

std::int64_t lines_in(std::string_view text) { return std::ranges::count(text, '\n'); }

void add_entries(const ListText& source, VideoList& list) {
  switch (list.config().format) {
    case ListFormat::video:
    case ListFormat::frames:
      return add_lines(source, list);
    case ListFormat::table:
      return add_table(source, list);
    case ListFormat::captions:
      return add_captions(source, list);
    case ListFormat::kinetics:
      return add_kinetics(source, list);
    case ListFormat::something_something:
      return add_something_something(source, list);
    case ListFormat::charades:
      return add_charades(source, list);
    case ListFormat::class_folders:
      break;
  }
  throw Error(fmt::format("{}: a list of class_folders is a folder, not a text", source.file));
}

VideoList read_class_folders(DatasetConfig config, const LabelSet* labels) {
  // What is kept beside the list is named after it.
  if (!config.list.path.has_filename()) config.list.path = config.list.path.parent_path();
  VideoList list(std::move(config));
  list.set_fingerprint(add_class_folders(labels, list));
  if (list.empty()) {
    throw Error(fmt::format("{}: holds no folder of a class with a video or frame folder in it",
                            list.file().string()));
  }
  return list;
}

}  // namespace

VideoList::VideoList(DatasetConfig config) : config_(std::move(config)) {
  if (config_.format == ListFormat::class_folders) {
    root_ = config_.list.path;
  } else {
    root_ = config_.root.empty() ? config_.list.path.parent_path() : config_.root.path;
  }
}

void VideoList::add(const VideoEntryView& entry) {
  Row row;
  row.path = keep(entry.path);
  row.label_id = entry.label_ids.empty() ? -1 : entry.label_ids.front();
  row.frame_count = entry.frame_count < 0 ? 0 : static_cast<std::uint32_t>(entry.frame_count);
  row.line = static_cast<std::uint32_t>(entry.line);
  if (!entry.range.whole() || !entry.caption.empty() || entry.label_ids.size() > 1)
    row.details = keep_details(entry);
  rows_.push_back(row);
}

void VideoList::add(const VideoEntry& entry) {
  add(VideoEntryView{.path = entry.path.native(),
                     .label_ids = entry.label_ids,
                     .frame_count = entry.frame_count,
                     .range = entry.range,
                     .caption = entry.caption,
                     .line = entry.line});
}

VideoEntry VideoList::entry(std::int64_t index) const {
  const Row& listed = row(index);
  VideoEntry entry{.path = root_ / text(listed.path),
                   .label_ids = {},
                   .frame_count = listed.frame_count == 0 ? -1 : std::int64_t{listed.frame_count},
                   .range = {},
                   .caption = {},
                   .line = listed.line};
  if (listed.label_id >= 0) entry.label_ids = {listed.label_id};
  if (listed.details == 0) return entry;
  const Details& details = details_[listed.details - 1];
  entry.range = details.range;
  entry.caption = text(details.caption);
  if (details.label_count > 0) {
    const auto first = label_ids_.begin() + details.first_label;
    entry.label_ids.assign(first, first + details.label_count);
  }
  return entry;
}

std::size_t VideoList::label_count(std::int64_t index) const {
  const Row& listed = row(index);
  if (listed.details != 0 && details_[listed.details - 1].label_count > 0)
    return details_[listed.details - 1].label_count;
  return listed.label_id >= 0 ? 1 : 0;
}

VideoList::Text VideoList::keep(std::string_view text) {
  if (texts_.empty() || texts_.back().size() + text.size() > kBlock) {
    if (texts_.size() == kMostBlocks)
      throw Error(fmt::format("{}: its paths and captions fill more than 4 GiB; divide it", file().string()));
    texts_.emplace_back();
    texts_.back().reserve(std::max(kBlock, text.size()));
  }
  std::string& block = texts_.back();
  const Text kept{.place = static_cast<std::uint32_t>((texts_.size() - 1) << kOffsetBits | block.size()),
                  .size = static_cast<std::uint32_t>(text.size())};
  block += text;
  return kept;
}

std::string_view VideoList::text(const Text& kept) const {
  if (kept.size == 0) return {};
  const auto& block = texts_[kept.place >> kOffsetBits];
  return std::string_view(block).substr(kept.place % kBlock, kept.size);
}

std::uint32_t VideoList::keep_details(const VideoEntryView& entry) {
  Details details{.range = entry.range, .caption = {}, .first_label = 0, .label_count = 0};
  if (!entry.caption.empty()) details.caption = keep(entry.caption);
  if (entry.label_ids.size() > 1) {
    details.first_label = static_cast<std::uint32_t>(label_ids_.size());
    details.label_count = static_cast<std::uint32_t>(entry.label_ids.size());
    label_ids_.insert(label_ids_.end(), entry.label_ids.begin(), entry.label_ids.end());
  }
  details_.push_back(details);
  return static_cast<std::uint32_t>(details_.size());
}

VideoList read_video_list(const DatasetConfig& config, const LabelSet* labels) {
  if (config.format == ListFormat::class_folders) return read_class_folders(config, labels);
  return parse_video_list(read_text_file(config.list.path), config, labels);
}

VideoList parse_video_list(std::string_view text, const DatasetConfig& config, const LabelSet* labels) {
  VideoList list(config);
  list.set_fingerprint(sha256_of(text));
  const std::string file = config.list.string();
  const ListText source{checked_text(text, file), file, labels};
  constexpr std::size_t kShortestLine = 4;  // "a 0\n"
  list.reserve(1 +
               std::min(static_cast<std::size_t>(lines_in(source.text)), source.text.size() / kShortestLine));
  add_entries(source, list);
  if (list.empty()) fail_at(source.file, 1 + lines_in(source.text), "the list holds no video");
  return list;
}

void require_single_labels(const VideoList& list, std::string_view who) {
  for (std::int64_t i = 0; i < list.size(); ++i) {
    const auto count = list.label_count(i);
    if (count <= 1) continue;
    throw Error(
        fmt::format("{}:{}: a video of {} labels, but {} takes lists of one label a video; give another list",
                    list.file().string(), list.line(i), count, who));
  }
}

}  // namespace actionclip
