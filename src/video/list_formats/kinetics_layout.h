// Where the videos of Kinetics lie below a folder. There is no one way to lay them out, so that the first
// videos are looked up in every way known, and the way that finds most of them is taken for all: a look-up
// for each of 650,000 takes minutes on a network's disk.
#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>

#include "actionclip/video/annotations.h"

namespace actionclip {

class KineticsLayout {
 public:
  explicit KineticsLayout(std::filesystem::path root) : root_(std::move(root)) {}

  // Looks `video` up in every way. Returns whether more are needed to decide.
  bool probe(const Annotation& video);

  // Settles on the way that found most. Throws Error that begins with `file` and names what was looked for
  // if none found any.
  void decide(const std::string& file);

  // Where `video` is to be, relative to root.
  std::string path_of(const Annotation& video);

 private:
  // SPLIT/CLASS/ID_START_END.EXTENSION, or less of it.
  struct Way {
    bool split_folder;
    bool class_folder;
    bool times;
    std::string_view extension;
  };

  static constexpr std::array<std::string_view, 4> kExtensions = {"mp4", "mkv", "webm", "avi"};
  static constexpr std::size_t kWays = 8 * kExtensions.size();

  static Way way(std::size_t number);
  std::string path_of(const Annotation& video, const Way& way);
  const std::string& class_folder(const std::string& parent, const std::string& label);

  std::filesystem::path root_;
  std::array<std::size_t, kWays> found_ = {};  // videos, by the way
  std::size_t probed_ = 0;
  std::size_t hits_ = 0;  // videos found in any way
  std::string tried_;     // the first path
  std::size_t chosen_ = 0;
  // Of each parent: its folders by their plain_label(), and what classes were found to be called.
  std::unordered_map<std::string, std::unordered_map<std::string, std::string>> folders_;
  std::unordered_map<std::string, std::unordered_map<std::string, std::string>> classes_;
};

}  // namespace actionclip
