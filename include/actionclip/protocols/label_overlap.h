// Strict zero-shot: which of the "unseen" labels a model was trained on after all. Torch-free.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "actionclip/text/labels.h"

namespace actionclip {

// A label and the training label that it is, or is near to.
struct LabelPair {
  std::int64_t label_id = 0;
  std::int64_t trained_id = 0;
  double similarity = 1;  // cosine of their texts' embeddings; of the same name, 1

  bool operator==(const LabelPair&) const = default;
};

// The labels whose names occur among those trained on, compared by plain_label() ("Playing guitar" is
// "PlayingGuitar"; names of which it leaves nothing must be equal), by label id. A name that was trained on
// twice is paired with the first.
std::vector<LabelPair> same_labels(const LabelSet& labels, const LabelSet& trained);

// The other labels with the training label that each is nearest to, the most similar first, where the two are
// at least `threshold` alike. similarities [C, trained.size()] by row. Throws std::invalid_argument for
// another number of them.
std::vector<LabelPair> near_labels(std::span<const float> similarities, const LabelSet& labels,
                                   const LabelSet& trained, const std::vector<LabelPair>& same,
                                   double threshold);

}  // namespace actionclip
