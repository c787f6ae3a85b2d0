#include "tools/dataset_commands.h"

#include <algorithm>
#include <thread>
#include <utility>

#include <boost/describe.hpp>
#include <boost/mp11.hpp>

namespace actionclip {

std::vector<std::string> list_formats() {
  std::vector<std::string> names;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<ListFormat>>(
      [&](auto enumerator) { names.emplace_back(enumerator.name); });
  return names;
}

void ListOptions::add_to(CLI::App& command, bool required) {
  command.add_option("--list", list, "the list; class_folders: the folder")->required(required);
  command.add_option("--root", root, "folder that its paths are relative to; default: its own");
  command.add_option("--format", format, "what the list is")
      ->check(CLI::IsMember(list_formats()))
      ->capture_default_str();
  command.add_option("--labels", labels, "label file, for lists that name their labels");
}

DatasetConfig ListOptions::config() const {
  DatasetConfig config;
  config.list.path = list;
  config.root.path = root;
  boost::describe::enum_from_string(format.c_str(), config.format);
  return config;
}

VideoList ListOptions::read() const {
  if (labels.empty()) return read_video_list(config(), nullptr);
  const LabelSet label_set = read_labels(labels);
  return read_video_list(config(), &label_set);
}

LabelledList ListOptions::read_with_labels() const {
  auto known = labels.empty() ? own_labels(config()) : std::optional(read_labels(labels));
  auto videos = read_video_list(config(), known ? &*known : nullptr);
  return {std::move(videos), std::move(known)};
}

void add_workers_option(CLI::App& command, int& workers) {
  constexpr int kMost = 256;
  workers = std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, kMost);
  command.add_option("--workers", workers, "videos decoded at once; 0: one, without a thread of its own")
      ->check(CLI::Range(0, kMost))
      ->capture_default_str();
}

}  // namespace actionclip
