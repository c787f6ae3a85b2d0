// Which videos of a split are worth a look. Torch-free.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "actionclip/eval/video_scores.h"

namespace actionclip::detail {

struct Candidate {
  std::size_t video = 0;
  std::int64_t predicted = 0;    // label id
  double probability = 0;        // of it
  double truth_probability = 0;  // of the true label; the least of several
};

// Best first: several, so that one whose frames cannot be read has a substitute.
struct Candidates {
  std::vector<Candidate> right;  // of high to low confidence in turns, a class once before any comes twice
  std::vector<Candidate> wrong;  // the most confident first, likewise
};

// At most `most` of either kind. Videos without scores or labels are passed over.
Candidates choose_examples(const VideoScores& scores, std::size_t most);

}  // namespace actionclip::detail
