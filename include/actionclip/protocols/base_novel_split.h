// Which classes of a data set are learnt and which are met in the test only (base-to-novel). Torch-free.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "actionclip/text/labels.h"
#include "actionclip/video/video_list.h"

namespace actionclip {

// Label ids of both, ascending.
struct BaseNovelSplit {
  std::vector<std::int64_t> base, novel;
};

// By label files (as read_labels() reads them) whose names are matched to `labels`; of one alone, the other
// half is the rest; of none, the first half of the classes in their order is the base, one more than the
// novel ones if their number is odd (Zhou et al. 2022, CoCoOp). Throws Error: a name that is none of
// `labels`; one that is in both files, named twice; no class left for one of the two.
BaseNovelSplit split_labels(const LabelSet& labels, const std::filesystem::path& base_file,
                            const std::filesystem::path& novel_file);

// The labels with these ids, without columns; label_id i is ids[i].
LabelSet labels_with(const LabelSet& labels, const std::vector<std::int64_t>& ids);

// The label file `id,name` of a set.
std::string labels_text(const LabelSet& labels);

// The videos of the labels with these ids, whose label ids become their places in `ids`.
VideoList videos_of(const VideoList& list, const std::vector<std::int64_t>& ids, std::int64_t classes);

// The pairs of a file of mirrored labels (read_flip_labels()) among the base labels, as such a file. Throws
// Error for a pair that the split divides: a mirrored clip of the base class would show the novel one.
std::string base_flip_labels(const std::filesystem::path& file, const LabelSet& labels,
                             const std::vector<std::int64_t>& base);

}  // namespace actionclip
