// UCF101: classInd.txt (lines ID CLASS, from 1) and trainlist01.txt .. testlist03.txt (lines CLASS/FILE.avi,
// in the training lists with the class's id behind).

#include <map>
#include <utility>

#include <fmt/format.h>

#include "actionclip/core/error.h"

#include "video/prepare/official_splits.h"
#include "video/prepare/text_lines.h"

namespace actionclip {
namespace {

constexpr const char* kClassFile = "classInd.txt";

std::string train_file(std::size_t split) { return fmt::format("trainlist{:02}.txt", split + 1); }
std::string test_file(std::size_t split) { return fmt::format("testlist{:02}.txt", split + 1); }

// "Class/v_Class_g01_c01.avi 1". Neither classes nor files of UCF101 have blanks in their names.
NamedVideo parse_line(const std::filesystem::path& file, const TextLine& line) {
  const std::string path = line.text.substr(0, line.text.find_first_of(" \t"));
  auto folders = folders_of(path);
  if (folders.empty()) {
    throw Error(fmt::format("{}:{}: expected CLASS/FILE.avi, perhaps with the class's id", file.string(),
                            line.number));
  }
  NamedVideo video;
  video.names = {stem_of(path)};
  video.labels = {folders.back()};
  video.folders = std::move(folders);
  return video;
}

std::vector<NamedVideo> parse_list(const std::filesystem::path& file) {
  std::vector<NamedVideo> videos;
  for (const auto& line : text_lines(file)) videos.push_back(parse_line(file, line));
  return videos;
}

std::vector<std::string> parse_classes(const std::filesystem::path& file) {
  std::map<std::int64_t, std::string> classes;
  for (const auto& line : text_lines(file)) {
    const auto blank = line.text.find_first_of(" \t");
    const auto id = parse_integer(line.text.substr(0, blank));
    const bool fine = blank != std::string::npos && id && *id >= 1;
    if (!fine || !classes.emplace(*id, trimmed(std::string_view(line.text).substr(blank))).second) {
      throw Error(
          fmt::format("{}:{}: expected ID CLASS, each id from 1 on once", file.string(), line.number));
    }
  }
  std::vector<std::string> names;
  for (auto& [id, name] : classes) {
    if (id != std::ssize(names) + 1) {
      throw Error(fmt::format("{}: the class {} is missing", file.string(), names.size() + 1));
    }
    names.push_back(std::move(name));
  }
  return names;
}

}  // namespace

bool is_ucf101_annotation(const std::filesystem::path& file) {
  const std::string name = file.filename().string();
  if (name == kClassFile) return true;
  for (std::size_t i = 0; i < kOfficialSplits; ++i) {
    if (name == train_file(i) || name == test_file(i)) return true;
  }
  return false;
}

DatasetPlan plan_ucf101(const PrepareInput& input) {
  std::array<OfficialSplit, kOfficialSplits> splits;
  DatasetPlan plan;
  for (const auto& file : input.annotations) {
    const std::string name = file.filename().string();
    if (name == kClassFile && input.labels == nullptr) plan.class_names = parse_classes(file);
    for (std::size_t i = 0; i < splits.size(); ++i) {
      if (name == train_file(i)) splits[i].train = parse_list(file);
      if (name == test_file(i)) splits[i].test = parse_list(file);
    }
  }
  plan.lists = lists_of_official_splits(splits, "trainlist01.txt, testlist01.txt and so on");
  if (input.labels == nullptr && plan.class_names.empty()) plan.class_names = labels_of(plan.lists);
  return plan;
}

}  // namespace actionclip
