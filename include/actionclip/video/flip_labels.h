// What a mirrored clip is a clip of: "pushing something from left to right" becomes one from right to left.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "actionclip/text/labels.h"

namespace actionclip {

class FlipLabels {
 public:
  // No label changes.
  FlipLabels() = default;

  // `mirrored`: by label_id, what the label becomes. Throws Error if one is no label id, or if mirroring
  // twice does not lead back.
  explicit FlipLabels(std::vector<std::int64_t> mirrored);

  // The label_id of a mirrored clip of `label_id`; -1, no label, stays.
  std::int64_t mirrored(std::int64_t label_id) const;

 private:
  std::vector<std::int64_t> mirrored_;  // empty: as they are
};

// Reads a CSV (text/csv.h) with the header `label,flipped` and a pair of label names a row. A pair counts
// both ways, so its other order may be given too or left out; labels that are not named stay as they are.
// Throws Error with file:line: another header, a name that is not in `labels`, a label in two pairs.
FlipLabels read_flip_labels(const std::filesystem::path& file, const LabelSet& labels);

// A file for read_flip_labels(): the labels that become each other where "left" and "right" change places in
// their names. Empty if there are none. `alone` gets those that say left or right and have no such other.
std::string left_right_pairs(const LabelSet& labels, std::vector<std::string>& alone);

}  // namespace actionclip
