// Videos of one list that are in another too, where none must be: those that are trained on in a test list.
// Torch-free.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <unordered_map>
#include <vector>

#include <boost/describe.hpp>

#include "actionclip/video/video_list.h"

namespace actionclip {

// How two entries are known to be the same.
enum class LeakKind {
  path,     // both name it alike
  file,     // two names (links of either kind) of one file or folder
  content,  // files of equal content
};
BOOST_DESCRIBE_ENUM(LeakKind, path, file, content)

struct ListLeak {
  std::int64_t left = 0;   // index in the first list
  std::int64_t right = 0;  // in the second
  LeakKind kind = LeakKind::path;

  bool operator==(const ListLeak&) const = default;
};

// SHA-256 of videos by their paths.
class ContentHashes {
 public:
  ContentHashes() = default;
  // Of manifests that `dataset verify` wrote; of a path in several, the last counts. Throws Error as
  // read_manifest() does.
  explicit ContentHashes(const std::vector<std::filesystem::path>& manifests);

  bool empty() const { return by_path_.empty(); }

  // nullptr: not known. Paths are compared as absolute ones; relative ones start where the program runs.
  const std::string* find(const std::filesystem::path& video) const;

 private:
  std::unordered_map<std::string, std::string> by_path_;
};

// For each entry of `right` that is in `left`: one of those that it is the same as, by the first kind of
// LeakKind that shows it. Parts of one video (start, end) are the same where they overlap. A video that is
// not there is known by its path and, from `hashes`, its content.
std::vector<ListLeak> find_leaks(const VideoList& left, const VideoList& right, const ContentHashes& hashes);

// Throws Error if there are any, which says how many videos of `right` ("the test videos") are in `left`
// ("the chosen training clips") and names up to ten, each with its place in both lists.
void require_no_leaks(const VideoList& left, const std::string& left_name, const VideoList& right,
                      const std::string& right_name, const ContentHashes& hashes);

// Videos whose content `hashes` does not know.
std::int64_t count_unknown(const VideoList& list, const ContentHashes& hashes);

}  // namespace actionclip
