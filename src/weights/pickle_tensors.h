// The tensors of a pickle by name.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "weights/pickle.h"

namespace actionclip {

// Walks dictionaries, lists and tuples, joining keys and positions with '/', and TorchScript objects, joining
// attributes with '.'. Numbers and texts are passed over. Throws WeightsError if a tensor has no name, one
// with control characters, or another's, for cycles, and if the names would take more than 16 MiB.
std::map<std::string, std::shared_ptr<const PickledTensor>> name_tensors(const PickleDocument& document,
                                                                         std::string_view source);

// Whether the outermost dictionary has this key, and there a dictionary that holds nothing.
bool holds_empty_dictionary(const PickleDocument& document, std::string_view key);

}  // namespace actionclip
