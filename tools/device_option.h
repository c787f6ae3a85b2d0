// --device of every program that computes.
#pragma once

#include <optional>
#include <string>

#include <CLI/CLI.hpp>
#include <c10/core/Device.h>

#include "actionclip/distributed/launch_environment.h"

namespace actionclip {

void add_device_option(CLI::App& command, std::string& device);

// "auto" (CUDA where a GPU is usable), "cpu", "cuda", "cuda:N". Among ranks, "auto" and "cuda" are the GPU of
// the local rank. Throws UsageError on another word, Error if the machine lacks the GPU that is asked for.
c10::Device choose_device(const std::string& name, const std::optional<LaunchEnvironment>& environment = {});

}  // namespace actionclip
