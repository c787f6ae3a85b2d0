// HMDB51: a file CLASS_test_splitN.txt for each class and split, lines FILE.avi USE with 1: training, 2:
// test, 0: neither. File names hold brackets, semicolons, '#' and '&', but no blanks.

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "actionclip/core/error.h"

#include "video/prepare/official_splits.h"
#include "video/prepare/text_lines.h"

namespace actionclip {
namespace {

std::string ending_of(std::size_t split) { return fmt::format("_test_split{}.txt", split + 1); }

void parse_file(const std::filesystem::path& file, const std::string& folder, OfficialSplit& split) {
  std::string label = folder;
  std::ranges::replace(label, '_', ' ');
  for (const auto& line : text_lines(file)) {
    const auto blank = line.text.find_last_of(" \t");
    const auto use = blank == std::string::npos ? std::nullopt : parse_integer(line.text.substr(blank + 1));
    if (!use || *use < 0 || *use > 2) {
      throw Error(fmt::format("{}:{}: expected FILE.avi and 0, 1 or 2", file.string(), line.number));
    }
    if (*use == 0) continue;
    NamedVideo video;
    video.names = {stem_of(trimmed(std::string_view(line.text).substr(0, blank)))};
    video.folders = {folder};
    video.labels = {label};
    (*use == 1 ? split.train : split.test).push_back(std::move(video));
  }
}

}  // namespace

bool is_hmdb51_annotation(const std::filesystem::path& file) {
  const std::string name = file.filename().string();
  for (std::size_t i = 0; i < kOfficialSplits; ++i) {
    if (name.ends_with(ending_of(i))) return true;
  }
  return false;
}

DatasetPlan plan_hmdb51(const PrepareInput& input) {
  std::array<OfficialSplit, kOfficialSplits> splits;
  for (const auto& file : input.annotations) {
    const std::string name = file.filename().string();
    for (std::size_t i = 0; i < splits.size(); ++i) {
      const std::string ending = ending_of(i);
      if (!name.ends_with(ending)) continue;
      parse_file(file, name.substr(0, name.size() - ending.size()), splits[i]);
    }
  }
  DatasetPlan plan;
  plan.lists = lists_of_official_splits(splits, "files CLASS_test_split1.txt and so on");
  if (input.labels == nullptr) plan.class_names = labels_of(plan.lists);
  return plan;
}

}  // namespace actionclip
