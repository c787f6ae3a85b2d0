// What a weights file holds, compared with the model that it is of.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "actionclip/model/cost.h"
#include "actionclip/weights/state_dict.h"

namespace actionclip {

struct KeyReport {
  std::vector<std::string> used;     // names in the file of the tensors that the model takes
  std::vector<std::string> missing;  // native names of those that it lacks
  std::vector<std::string>
      surplus;  // names in the file of those that are named as the model's, but no part of it
  std::vector<std::string> left_over;  // names in the file of all others
};

KeyReport report_keys(const LoadedWeights& weights);

// Throws WeightsError that lists the surplus tensors, if there are any: they are of a model of another kind,
// of which the rest alone would be something else.
void require_no_surplus(const KeyReport& report);

// Numbers that learn: the elements of the model's tensors, but for a ResNet's running statistics.
PerPart<std::int64_t> count_parameters(const LoadedWeights& weights);

// The known architectures of the same sizes, and of the same heads and activation where the file tells them.
std::vector<std::string> matching_architectures(const LoadedWeights& weights);

}  // namespace actionclip
