#pragma once

#include <vector>

namespace actionclip::detail {

// Of steps' figures, which does not mind the first ones, nor a pause. `values` must not be empty; of an even
// number, the upper of the two in the middle.
double median(std::vector<double> values);

}  // namespace actionclip::detail
