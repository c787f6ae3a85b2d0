// What a test list consists of, whatever it is called, wherever its videos lie and however it is written.
// Torch-free.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "actionclip/text/labels.h"
#include "actionclip/video/video_list.h"

namespace actionclip {

// A video as people name it: the last part of its path, without the ending of a video file and, of a clip of
// Kinetics ("ID_000012_000022"), without the seconds behind the 11 characters of its id.
std::string video_name(const std::filesystem::path& path);

// SHA-256 (hexadecimal) of the lines
//   video_name(path) TAB plain_label(label) [TAB start TAB end]
// sorted by their bytes, each with a line feed behind it: one for each label of each video (none: an empty
// label). A label of which plain_label() leaves nothing stands as it is. Start and end (seconds, three
// decimals) stand only where the list names a part of a video: parts of long videos, and clips that were cut
// from them, are two lists. The order of the list, folders, endings, ids of labels, frame counts and captions
// do not count. Throws Error for a label id that `labels` do not have.
std::string list_hash(const VideoList& list, const LabelSet& labels);

struct ListFacts {
  std::int64_t videos = 0;
  std::int64_t labels = 0;   // that are ranked
  std::int64_t classes = 0;  // labels that have a video
  std::string sha256;        // list_hash()

  bool operator==(const ListFacts&) const = default;
};

ListFacts facts_of(const VideoList& list, const LabelSet& labels);

}  // namespace actionclip
