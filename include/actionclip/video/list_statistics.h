// What a list holds, in figures. Torch-free.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "actionclip/text/labels.h"
#include "actionclip/video/manifest.h"
#include "actionclip/video/video_list.h"

namespace actionclip {

// The middle of values, and their ends.
struct Spread {
  double min = 0;
  double median = 0;  // of an even number: the mean of the two in the middle
  double max = 0;
};
Spread spread_of(const std::vector<double>& values);  // not empty

struct ListStatistics {
  std::int64_t videos = 0;
  std::int64_t labels_of_videos = 0;                         // more than `videos` where some have several
  std::int64_t classes = 0;                                  // that have a video
  Spread videos_of_class;                                    // of these
  std::vector<std::pair<std::string, std::int64_t>> rarest;  // five classes and their videos
  std::vector<std::string> bare_classes;                     // without a video; only with labels
};

// Classes are named by `labels`; nullptr: by their ids. A list of captions has none.
ListStatistics count_classes(const VideoList& list, const LabelSet* labels);

struct MeasuredStatistics {
  std::int64_t videos = 0;   // that the manifest knows and could decode
  std::int64_t failed = 0;   // that could not be decoded
  std::int64_t unknown = 0;  // that it does not know
  double hours = 0;
  Spread seconds;  // of videos that have times
  Spread fps;
  Spread frames;
  std::vector<std::pair<std::string, std::int64_t>> sizes;   // "340x256" and videos; the five most frequent
  std::vector<std::pair<std::string, std::int64_t>> codecs;  // the same
};

// Of the list's videos, which the manifest names as the list does.
MeasuredStatistics measure(const VideoList& list, const std::vector<VideoFacts>& manifest);

}  // namespace actionclip
