// From what the launcher says to the group of ranks.
#pragma once

#include <memory>
#include <optional>

#include <c10/core/Device.h>

#include "actionclip/distributed/config.h"
#include "actionclip/distributed/launch_environment.h"
#include "actionclip/distributed/process_group.h"

namespace actionclip {

// The group of the ranks that `environment` names, NCCL where `device` is a GPU and Gloo else; SingleProcess
// if there is but one. Waits for all of them, and makes `device` the thread's current one. Throws Error if
// the store or some ranks cannot be reached in time.
std::shared_ptr<ProcessGroup> join_ranks(const std::optional<LaunchEnvironment>& environment,
                                         const DistributedConfig& config, c10::Device device);

}  // namespace actionclip
