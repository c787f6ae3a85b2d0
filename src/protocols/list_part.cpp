#include "actionclip/protocols/list_part.h"

#include <cmath>
#include <filesystem>

#include <fmt/format.h>

#include "actionclip/text/csv.h"

namespace actionclip {

VideoList part_of(const VideoList& list, const std::vector<std::int64_t>& indices,
                  const std::vector<std::int64_t>& new_ids) {
  VideoList part(list.config());
  part.reserve(indices.size());
  for (const auto index : indices) {
    auto entry = list.entry(index);
    entry.path = std::filesystem::absolute(entry.path);  // the root is in it already
    if (!new_ids.empty()) {
      for (auto& label_id : entry.label_ids)
        label_id = static_cast<std::int32_t>(new_ids.at(static_cast<std::size_t>(label_id)));
    }
    part.add(entry);
  }
  return part;
}

std::string table_text(const VideoList& list) {
  std::string text = "path,label,start,end,frames\n";
  for (std::int64_t i = 0; i < list.size(); ++i) {
    const auto entry = list.entry(i);
    text += csv_field(std::filesystem::absolute(entry.path).string());
    text += fmt::format(",{},", entry.label_id());
    if (entry.range.start > 0) text += fmt::format("{}", entry.range.start);
    text += ',';
    if (std::isfinite(entry.range.end)) text += fmt::format("{}", entry.range.end);
    text += ',';
    if (entry.frame_count >= 0) text += fmt::format("{}", entry.frame_count);
    text += '\n';
  }
  return text;
}

}  // namespace actionclip
