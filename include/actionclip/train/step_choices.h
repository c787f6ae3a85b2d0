// What is drawn for a training step as a whole: functions of the seed and of where the run stands, so that a
// run that is resumed draws what the straight one does. (What is drawn for a sample, its data decide.)
#pragma once

#include <cstdint>

namespace actionclip {

// The template, of `templates`, that the texts of all classes stand in at a step: the same on all ranks and
// in all parts of the step.
std::int64_t choose_class_template(std::uint64_t seed, std::int64_t step, std::int64_t templates);

// The seed of libtorch's generators, which dropout draws from, for one part of a step on one rank. `part` is
// counted over the steps: step * parts of a step + part of this one.
std::uint64_t choose_model_seed(std::uint64_t seed, std::int64_t part, int rank);

}  // namespace actionclip
