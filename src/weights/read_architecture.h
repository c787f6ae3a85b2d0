// The architecture of a model, from the shapes of its tensors alone.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "actionclip/model/config.h"
#include "actionclip/weights/state_dict.h"

namespace actionclip {

// The sizes that natively named tensors have. What no shape shows: heads of the usual width, QuickGELU, the
// largest id as end token, CLIP's mean and std, `frames` where the tensors do not tell T. Throws WeightsError
// for tensors missing or misshapen that sizes are read from; it lists them, and the other tensors that are
// missing or surplus, up to twenty.
ActionClipConfig read_architecture(const StateDict& tensors, std::int64_t frames);

// The names that the tensors of such a model have, its blocks being those that there are tensors of; "*" for
// those of an encoder without blocks.
std::set<std::string> expected_names(const StateDict& tensors, const ActionClipConfig& model);

// The names and shapes of the tensors of a model of these sizes, which must be buildable. Takes the memory of
// a model with one block a transformer and two a stage of a ResNet, without its token embeddings.
std::map<std::string, std::vector<std::int64_t>> expected_shapes(const ActionClipConfig& model);

}  // namespace actionclip
