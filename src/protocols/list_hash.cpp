#include "actionclip/protocols/list_hash.h"

#include <algorithm>
#include <cstddef>
#include <set>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/text/label_matcher.h"

#include "video/file_ending.h"

namespace actionclip {
namespace {

constexpr std::size_t kIdLength = 11;   // of YouTube
constexpr std::size_t kTimeLength = 7;  // "_000012"

bool is_time(std::string_view text) {
  return text.size() == kTimeLength && text.front() == '_' &&
         std::all_of(text.begin() + 1, text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_kinetics_clip(std::string_view name) {
  return name.size() == kIdLength + 2 * kTimeLength && is_time(name.substr(kIdLength, kTimeLength)) &&
         is_time(name.substr(kIdLength + kTimeLength));
}

// By label id.
std::vector<std::string> plain_names(const LabelSet& labels) {
  std::vector<std::string> names;
  for (const auto& name : labels.names()) {
    const auto plain = plain_label(name);
    names.push_back(plain.empty() ? name : plain);
  }
  return names;
}

}  // namespace

std::string video_name(const std::filesystem::path& path) {
  const auto last = path.has_filename() ? path : path.parent_path();  // of "folder/", the folder
  std::string name = is_video_name(last) ? last.stem().string() : last.filename().string();
  if (is_kinetics_clip(name)) name.resize(kIdLength);
  return name;
}

std::string list_hash(const VideoList& list, const LabelSet& labels) {
  const auto names = plain_names(labels);
  std::vector<std::string> lines;
  lines.reserve(static_cast<std::size_t>(list.size()));
  for (std::int64_t i = 0; i < list.size(); ++i) {
    const auto entry = list.entry(i);
    const std::string video = video_name(entry.path);
    const std::string part =
        entry.range.whole() ? "" : fmt::format("\t{:.3f}\t{:.3f}", entry.range.start, entry.range.end);
    if (entry.label_ids.empty()) lines.push_back(fmt::format("{}\t{}\n", video, part));
    for (const auto id : entry.label_ids) {
      static_cast<void>(labels.name(id));  // throws where there is none
      lines.push_back(fmt::format("{}\t{}{}\n", video, names[static_cast<std::size_t>(id)], part));
    }
  }
  std::sort(lines.begin(), lines.end());
  std::string text;
  for (const auto& line : lines) text += line;
  return sha256_of(text);
}

ListFacts facts_of(const VideoList& list, const LabelSet& labels) {
  std::set<std::int32_t> classes;
  for (std::int64_t i = 0; i < list.size(); ++i) {
    const auto entry = list.entry(i);
    classes.insert(entry.label_ids.begin(), entry.label_ids.end());
  }
  return {.videos = list.size(),
          .labels = labels.size(),
          .classes = static_cast<std::int64_t>(classes.size()),
          .sha256 = list_hash(list, labels)};
}

}  // namespace actionclip
