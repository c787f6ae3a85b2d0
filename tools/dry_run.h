// train --dry-run: whether a training would work, told by one step of it.
#pragma once

#include <memory>

#include "actionclip/distributed/process_group.h"
#include "actionclip/train/experiment.h"
#include "actionclip/train/trainer.h"

namespace actionclip {

// Takes one step, with stand-ins for what is not there (rehearsal.h; but nothing may be missing of a run that
// is resumed), logs what the run is and takes, and returns the exit code. Throws Error if the loss or the
// gradients are not finite.
int dry_run(const std::shared_ptr<ProcessGroup>& group, const Experiment& experiment,
            const TrainerOptions& options);

}  // namespace actionclip
