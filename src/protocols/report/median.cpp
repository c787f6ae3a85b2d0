#include "median.h"

#include <algorithm>
#include <iterator>

namespace actionclip::detail {

double median(std::vector<double> values) {
  const auto middle = values.begin() + std::ssize(values) / 2;
  std::ranges::nth_element(values, middle);
  return *middle;
}

}  // namespace actionclip::detail
