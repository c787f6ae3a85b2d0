// What names in a pickle stand for, and what "calling" them gives.
#pragma once

#include <stdexcept>
#include <string>

#include "weights/pickle.h"

namespace actionclip {

// Why a pickle is refused; run_pickle adds file and position.
class PickleFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Adds a value that holds `held` bytes beside its own. Throws PickleFailure if the values take too much
// memory.
PickleRef add_value(PickleDocument& document, PickleValue value, std::size_t held = 0);

// Counts bytes that are held for the document elsewhere. Throws as add_value.
void spend_memory(PickleDocument& document, std::size_t bytes);

// "module.name" as the value it stands for. Throws PickleFailure for any name not on the list.
PickleGlobal find_pickle_global(const std::string& name, PickleDialect dialect);

// Results of the op codes REDUCE, NEWOBJ, BINPERSID and BUILD. Each returns the place of its result, adding a
// value where needed. They throw PickleFailure if an argument is not what torch.save writes.
PickleRef pickle_reduce(PickleDocument& document, PickleRef callee, PickleRef arguments);
PickleRef pickle_new_object(PickleDocument& document, PickleRef callee, PickleRef arguments);
PickleRef pickle_persistent(PickleDocument& document, PickleRef id);
void pickle_build(PickleDocument& document, PickleRef target, PickleRef state);

}  // namespace actionclip
