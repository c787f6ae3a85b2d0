// The sub-commands of `actionclip dataset` that have a file of their own.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "actionclip/video/video_list.h"

namespace actionclip {

void add_dataset_prepare(CLI::App& dataset, int& exit_code);
void add_dataset_extract(CLI::App& dataset, int& exit_code);
void add_dataset_verify(CLI::App& dataset, int& exit_code);
void add_dataset_stats(CLI::App& dataset, int& exit_code);

struct LabelledList {
  VideoList list;
  std::optional<LabelSet> labels;  // none: it has ids, and no one told their names
};

// A list on the command line.
struct ListOptions {
  std::string list;
  std::string root;
  std::string format = "video";
  std::string labels;

  // --list, --root, --format, --labels.
  void add_to(CLI::App& command, bool required);
  DatasetConfig config() const;
  // Throw as read_video_list().
  VideoList read() const;
  // A list that names its labels does without --labels: they get ids in their order.
  LabelledList read_with_labels() const;
};

// The names of ListFormat.
std::vector<std::string> list_formats();

// Of classes, in what is printed.
inline constexpr std::size_t kNamedClasses = 10;

// --workers, with as many as there are cores for the default.
void add_workers_option(CLI::App& command, int& workers);

}  // namespace actionclip
