// The confusion matrix of a run and what it tells.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "actionclip/protocols/run_record.h"

namespace actionclip::detail {

struct ConfusedPair {
  std::int32_t truth = 0;
  std::int32_t predicted = 0;
  std::int64_t videos = 0;
  double share = 0;  // of the true class' videos that have a prediction
};

// Wrong answers, the most frequent first (of equally many: the larger share, then by class), `most` of them.
std::vector<ConfusedPair> worst_pairs(const ConfusionMatrix& matrix, std::size_t most);

// The matrix as a drawing, and the list of its worst pairs beside it. `source`: a sentence on what it is of;
// may be empty.
std::string confusion_section(const ConfusionMatrix& matrix, std::string_view source = "");

}  // namespace actionclip::detail
