// Charades: Charades_v1_train.csv and Charades_v1_test.csv, several actions a video, and
// Charades_v1_classes.txt (lines c000 SENTENCE). What they call test is what results are given on: val.csv.

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "actionclip/core/error.h"
#include "actionclip/core/text_input.h"
#include "actionclip/video/annotations.h"

#include "video/prepare/plan.h"
#include "video/prepare/text_lines.h"

namespace actionclip {
namespace {

struct Classes {
  std::vector<std::string> names;
  std::vector<std::string> codes;  // "c000"
};

bool is_class_file(const std::filesystem::path& file) {
  return file.filename().string().ends_with("classes.txt");
}

std::string code_of(std::int64_t id) { return fmt::format("c{:03}", id); }

Classes parse_classes(const std::filesystem::path& file) {
  Classes classes;
  for (const auto& line : text_lines(file)) {
    const auto blank = line.text.find(' ');
    const std::string code = code_of(std::ssize(classes.codes));
    if (blank == std::string::npos || line.text.substr(0, blank) != code) {
      throw Error(fmt::format("{}:{}: expected {} and a sentence", file.string(), line.number, code));
    }
    classes.codes.push_back(code);
    classes.names.emplace_back(trimmed(std::string_view(line.text).substr(blank)));
  }
  return classes;
}

Classes classes_of(const PrepareInput& input) {
  if (input.labels != nullptr) {
    Classes classes{input.labels->names(), {}};
    for (std::int64_t id = 0; id < input.labels->size(); ++id) classes.codes.push_back(code_of(id));
    return classes;
  }
  const auto file = std::ranges::find_if(input.annotations, is_class_file);
  if (file == input.annotations.end()) {
    throw Error("found no classes: Charades_v1_classes.txt is needed (--annotations), or --labels");
  }
  return parse_classes(*file);
}

// The video of a row, its codes replaced by names.
NamedVideo named(const Annotation& row, const std::filesystem::path& file,
                 const std::map<std::string, std::string>& names) {
  NamedVideo video;
  video.names = {row.id};
  video.start = row.start;
  video.end = row.end;
  for (const auto& code : row.labels) {
    const auto name = names.find(code);
    if (name == names.end()) {
      throw Error(fmt::format("{}:{}: no class has the code {}", file.string(), row.line, code));
    }
    if (std::ranges::count(video.labels, name->second) == 0) video.labels.push_back(name->second);
  }
  return video;
}

}  // namespace

bool is_charades_annotation(const std::filesystem::path& file) {
  return is_class_file(file) || (file.extension() == ".csv" && !split_of(file.stem().string()).empty());
}

DatasetPlan plan_charades(const PrepareInput& input) {
  const Classes classes = classes_of(input);
  std::map<std::string, std::string> names;
  for (std::size_t i = 0; i < classes.names.size(); ++i) names.emplace(classes.codes[i], classes.names[i]);
  std::vector<SplitVideo> videos;
  for (const auto& file : input.annotations) {
    std::string split = split_of(file.stem().string());
    if (is_class_file(file)) continue;
    if (split == "test") split = "val";
    for (const auto& row : read_charades_annotations(file)) {
      auto video = named(row, file, names);
      if (!video.labels.empty()) videos.push_back({split, std::move(video)});  // some show no action at all
    }
  }
  DatasetPlan plan;
  plan.format = ListFormat::table;
  plan.lists = lists_of_splits(std::move(videos), ".csv");
  if (plan.lists.empty()) {
    throw Error(
        "found no annotations: Charades_v1_train.csv and Charades_v1_test.csv are needed (--annotations)");
  }
  plan.class_names = classes.names;
  plan.columns = {{"code", classes.codes}};
  return plan;
}

}  // namespace actionclip
