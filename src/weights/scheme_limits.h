// What the programs behind a name scheme can hold and compute.
#pragma once

#include <string>
#include <vector>

#include "actionclip/weights/name_scheme.h"
#include "actionclip/weights/state_dict.h"

namespace actionclip {

// Why the scheme's programs have no model of this architecture; empty if they have.
std::vector<std::string> scheme_problems(const ActionClipConfig& model, NameScheme scheme);

// What they compute otherwise, though they load the tensors, and tensors that are written for them alone.
std::vector<std::string> scheme_notes(const LoadedWeights& weights, NameScheme scheme);

// Whether the scheme has a place for a tensor of this native name.
bool has_place(const std::string& name, NameScheme scheme);

}  // namespace actionclip
