#pragma once

#include <algorithm>
#include <cmath>

namespace actionclip {

// Finite where a softmax underflows, so that a mean over videos is too.
inline double log_probability(float probability) {
  constexpr double kSmallestProbability = 1e-30;
  return std::log(std::max<double>(probability, kSmallestProbability));
}

}  // namespace actionclip
