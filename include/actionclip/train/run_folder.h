// The folder that a run writes into.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "actionclip/core/folder_lock.h"
#include "actionclip/train/experiment.h"

namespace actionclip {

// The checkpoint to go on from. `request`: "" (none), "newest" (Error if the run has none), "auto" (none if
// the run has none), or a checkpoint folder.
std::optional<std::filesystem::path> find_resume_point(const std::filesystem::path& run_folder,
                                                       const std::string& request);

// Creates the folder, removes leftovers of a crash and writes config.yaml; for a run that goes on, what its
// settings change is logged, and the former file kept as config.before-N.yaml. The folder is the run's alone
// while the returned lock lives. Throws Error if the folder already holds a run of which `resume` is no
// checkpoint, is in use, or cannot be written. Make the Trainer first, so that a run that cannot begin leaves
// the folder as it was.
[[nodiscard]] FolderLock open_run_folder(const std::filesystem::path& run_folder,
                                         const Experiment& experiment,
                                         const std::optional<std::filesystem::path>& resume);

}  // namespace actionclip
