// What the annotations of a data set say, in one form for all of them.
#pragma once

#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "actionclip/text/labels.h"
#include "actionclip/video/config.h"

#include "video/prepare/video_tree.h"

namespace actionclip {

struct NamedVideo {
  std::vector<std::string> names;    // file names without extension, the likeliest first
  std::vector<std::string> folders;  // that its path may hold: where several videos have the name
  // Of a file that shows more than this video, from `start` to `end`: looked for last. Empty: there is none.
  std::string whole;
  std::string path;                 // relative to root, where the folders are all there is; else empty
  std::vector<std::string> labels;  // as the annotations write them
  double start = 0;                 // seconds
  double end = std::numeric_limits<double>::infinity();
};

struct NamedList {
  std::string file;   // "train.txt"
  std::string split;  // as the data set calls it
  std::vector<NamedVideo> videos;
};

struct DatasetPlan {
  std::vector<NamedList> lists;
  // By label_id, where no label file is given or what it gives are not the names; each once.
  std::vector<std::string> class_names;
  std::vector<LabelColumn> columns = {};
  ListFormat format = ListFormat::video;
};

struct PrepareInput {
  const VideoTree& videos;
  std::vector<std::filesystem::path> annotations;  // files of such names, sorted
  const LabelSet* labels;                          // nullptr: no label file is given
  bool untrimmed = false;                          // PrepareOptions::untrimmed
};

// One a file of this folder. Throw Error for annotations that are missing or malformed.
DatasetPlan plan_kinetics(const PrepareInput& input);
DatasetPlan plan_ucf101(const PrepareInput& input);
DatasetPlan plan_hmdb51(const PrepareInput& input);
DatasetPlan plan_something_something(const PrepareInput& input);
DatasetPlan plan_charades(const PrepareInput& input);
DatasetPlan plan_class_folders(const PrepareInput& input);

// Whether a file of this name is one of the data set's annotations.
bool is_kinetics_annotation(const std::filesystem::path& file);
bool is_ucf101_annotation(const std::filesystem::path& file);
bool is_hmdb51_annotation(const std::filesystem::path& file);
bool is_something_something_annotation(const std::filesystem::path& file);
bool is_charades_annotation(const std::filesystem::path& file);

// "train", "val" or "test" as `name` ("train_256", "kinetics-validate", "Test") says; else empty.
std::string split_of(std::string_view name);

// The lists of `videos`, which each belong to a split: train, val, test, those that are not empty.
struct SplitVideo {
  std::string split;
  NamedVideo video;
};
std::vector<NamedList> lists_of_splits(std::vector<SplitVideo> videos, std::string_view extension = ".txt");

// `names` sorted, each once.
std::vector<std::string> sorted_names(std::vector<std::string> names);

// The labels of all videos, sorted, each once.
std::vector<std::string> labels_of(const std::vector<NamedList>& lists);

}  // namespace actionclip
