// What `train` keeps in its run folder of the best validation: the files that `evaluate` would leave, which
// the run's report shows.
#pragma once

#include <cstdint>
#include <filesystem>

#include "actionclip/train/experiment.h"
#include "actionclip/train/trainer.h"

#include "tools/protocol_option.h"

namespace actionclip {

// Writes evaluation.json (with the step), confusion.csv (of one label a video) and scores.safetensors. Warns
// where that cannot be: the run does without.
void keep_validation(const std::filesystem::path& run_folder, const Experiment& experiment,
                     ProtocolCheck protocols, const Validation& validation);

// Removes them if they are of another step: of a best one that a run has gone back behind. Files that do not
// tell their step stay.
void drop_validation_of_other_step(const std::filesystem::path& run_folder, std::int64_t best_step);

}  // namespace actionclip
