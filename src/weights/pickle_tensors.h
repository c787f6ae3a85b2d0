// The tensors of a pickle by name.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "weights/pickle.h"

namespace actionclip {

// Walks dictionaries, lists and tuples, joining keys and positions with '/', and TorchScript objects, joining
// attributes with '.'. Numbers and texts are passed over. Throws WeightsError if a tensor has no name or two
// have the same, and for cycles.
std::map<std::string, std::shared_ptr<const PickledTensor>> name_tensors(const PickleDocument& document,
                                                                         std::string_view source);

}  // namespace actionclip
