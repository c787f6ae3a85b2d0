#include "video/list_formats/kinetics_layout.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "actionclip/core/error.h"
#include "actionclip/text/label_matcher.h"

namespace actionclip {
namespace {

constexpr std::size_t kMostProbed = 1000;  // some are missing from every copy of Kinetics, often in a row
constexpr std::size_t kEnough = 16;

// The folders in `parent` by their plain_label(); none where it cannot be read.
std::unordered_map<std::string, std::string> folders_in(const std::filesystem::path& parent) {
  std::unordered_map<std::string, std::string> folders;
  std::error_code problem;
  for (std::filesystem::directory_iterator entry(parent, problem), end; !problem && entry != end;
       entry.increment(problem)) {
    std::error_code unknown;
    if (!entry->is_directory(unknown)) continue;
    const auto name = entry->path().filename().string();
    folders.emplace(plain_label(name), name);
  }
  return folders;
}

}  // namespace

// Those of the usual downloads come first: of equally many finds, the first counts.
KineticsLayout::Way KineticsLayout::way(std::size_t number) {
  const auto kind = number / kExtensions.size();
  return {.split_folder = (kind & 1) != 0,
          .class_folder = (kind & 2) == 0,
          .times = (kind & 4) == 0,
          .extension = kExtensions[number % kExtensions.size()]};
}

bool KineticsLayout::probe(const Annotation& video) {
  ++probed_;
  bool found = false;
  for (std::size_t number = 0; number < kWays; ++number) {
    const auto path = root_ / path_of(video, way(number));
    if (tried_.empty()) tried_ = path.string();
    std::error_code unknown;
    if (!std::filesystem::exists(path, unknown)) continue;
    ++found_[number];
    found = true;
  }
  hits_ += found ? 1 : 0;
  return hits_ < kEnough && probed_ < kMostProbed;
}

void KineticsLayout::decide(const std::string& file) {
  const auto most = std::ranges::max_element(found_);
  if (*most == 0) {
    throw Error(
        fmt::format("{}: none of its first {} videos is below {} (looked for {}, and without the class, the "
                    "times or in a folder of the split); set the list's root to their folder, or make a list "
                    "with actionclip dataset prepare",
                    file, probed_, root_.empty() ? "." : root_.string(), tried_));
  }
  chosen_ = static_cast<std::size_t>(std::distance(found_.begin(), most));
}

std::string KineticsLayout::path_of(const Annotation& video) { return path_of(video, way(chosen_)); }

std::string KineticsLayout::path_of(const Annotation& video, const Way& way) {
  std::string path;
  if (way.split_folder && !video.split.empty()) path = video.split + "/";
  if (way.class_folder && !video.labels.empty()) path += class_folder(path, video.labels.front()) + "/";
  path += video.id;
  if (way.times) path += fmt::format("_{:06}_{:06}", std::llround(video.start), std::llround(video.end));
  path += '.';
  path += way.extension;
  return path;
}

// Classes are called "riding a bike", "riding_a_bike", "RidingABike" ...
const std::string& KineticsLayout::class_folder(const std::string& parent, const std::string& label) {
  const auto [known, is_new] = classes_[parent].try_emplace(label, label);
  if (!is_new) return known->second;
  const auto [folders, is_unread] = folders_.try_emplace(parent);
  if (is_unread) folders->second = folders_in(root_ / parent);
  const auto folder = folders->second.find(plain_label(label));
  if (folder != folders->second.end()) known->second = folder->second;
  return known->second;
}

}  // namespace actionclip
