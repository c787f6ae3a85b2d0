// Mean and spread of a figure over seeds or splits.
#pragma once

#include <span>

namespace actionclip {

double mean_of(std::span<const double> values);       // 0 of none
double deviation_of(std::span<const double> values);  // sample standard deviation; 0 of fewer than two

}  // namespace actionclip
