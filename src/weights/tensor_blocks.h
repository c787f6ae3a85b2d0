// Parts and repeated blocks of a model, told by the names of their tensors.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "actionclip/weights/state_dict.h"

namespace actionclip {

inline constexpr std::int64_t kMaxBlocks = 1024;  // as many as the settings allow

// Whether the name of any tensor begins so.
bool has_names_below(const StateDict& tensors, const std::string& prefix);

// The numbers N of the tensors named `prefix`N.*; those that no model has are none.
std::set<std::int64_t> blocks_below(const StateDict& tensors, const std::string& prefix);

}  // namespace actionclip
