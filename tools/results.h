// What a folder of results holds beside them, so that it tells where they come from.
#pragma once

#include <filesystem>

#include <c10/core/Device.h>

#include "actionclip/train/experiment.h"

namespace actionclip {

// Sets the entry `command` of machine.json in `folder`: the program's version and torch's, the device, the
// number of ranks and the machine. Entries of other commands stay. Throws Error if it cannot be written.
void write_machine(const std::filesystem::path& folder, const char* command, c10::Device device, int ranks);

// Adds to the results of `command` in `folder` its settings (as `config_name`), machine.json and report.html.
// Nothing if `folder` is empty. Throws Error as write_machine(); without the report there is a warning.
void describe_results(const std::filesystem::path& folder, const char* command, const char* config_name,
                      const Experiment& experiment, c10::Device device, int ranks);

}  // namespace actionclip
