// From what annotations name to what is there: classes become label ids, videos files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "actionclip/text/labels.h"

#include "video/prepare/plan.h"

namespace actionclip {

struct FoundVideo {
  std::string path;  // relative to root
  std::vector<std::int64_t> label_ids;
  double start;
  double end;
};

struct FoundList {
  std::string file;
  std::string split;
  std::vector<FoundVideo> videos;
  std::vector<std::string> missing;  // the likeliest name of each
  std::int64_t repeated = 0;
};

// Throws Error that names the classes which match none or several of `labels`.
std::vector<FoundList> resolve_plan(const DatasetPlan& plan, const LabelSet& labels, const VideoTree& videos);

}  // namespace actionclip
