// Ranks that do not have the same in hand would train on without a word, each something else.
#pragma once

#include <map>
#include <string>

#include "actionclip/distributed/process_group.h"

namespace actionclip {

// `facts`: what must be equal on every rank, by name ("configuration": a hash). Throws Error on every rank
// that names each fact that differs and the ranks whose value is not rank 0's.
void require_agreement(ProcessGroup& group, const std::map<std::string, std::string>& facts);

// How many of the ranks run on this one's machine, itself included: those that give their host the same name.
int count_machine_ranks(ProcessGroup& group);

}  // namespace actionclip
