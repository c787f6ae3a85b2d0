// Mean and spread of a figure over seeds, splits or repeated measurements.
#pragma once

#include <optional>
#include <span>

namespace actionclip {

double mean_of(std::span<const double> values);       // 0 of none
double deviation_of(std::span<const double> values);  // sample standard deviation; 0 of fewer than two

double median_of(std::span<const double> values);  // of an even number the middle of the two; 0 of none

// Half the width of the interval around the mean of `values` that holds the true mean with the probability
// `confidence`, if they are independent draws of a normal distribution: t s / sqrt(n), t the quantile
// (1 + confidence) / 2 of Student's distribution with n - 1 degrees of freedom. None of fewer than two
// values.
std::optional<double> margin_of(std::span<const double> values, double confidence = 0.95);

}  // namespace actionclip
