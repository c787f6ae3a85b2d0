// The scores of a split's videos, one row a video: what every figure is computed from, kept so that figures
// can be computed again, compared and fused without running a model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace actionclip {

struct ScoredVideo {
  std::string path;                     // as the list gives it, below its root
  std::vector<std::int32_t> label_ids;  // one; several, or none, of a video of a multi-label list
  std::string failure;                  // why it has no scores (its row is NaN); empty if it has
};

struct VideoScores {
  std::vector<std::string> labels;   // names of the C classes
  std::vector<ScoredVideo> videos;   // N, in the list's order
  std::vector<float> probabilities;  // [N, C], of ClassScores
  bool multi_label = false;          // of a list whose videos can have several labels

  // Where they come from: "weights", "weights_sha256", "list", "list_sha256", "protocol", "protocol_sha256",
  // "views", "average".
  std::map<std::string, std::string> origin;

  std::span<const float> row(std::size_t video) const {
    return std::span<const float>(probabilities).subspan(video * labels.size(), labels.size());
  }
};

}  // namespace actionclip
