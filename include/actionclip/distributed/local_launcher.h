// Starts the ranks of a job on one machine and sees them to their end: `actionclip train --nproc N`.
#pragma once

#include <string>
#include <vector>

namespace actionclip {

// Runs `command` (a program and its arguments) once for each rank, with torchrun's variables in its
// environment (launch_environment.h), and returns when all have ended. Rank 0 keeps this process' input and
// output; the lines of the others come out on standard error, "[rank N]" before each. SIGINT, SIGTERM and
// SIGUSR1 are passed on to every rank, and stay blocked for the rest of this process.
//
// Returns 0 if every rank returned 0, 75 if some returned 75 (stopped by a signal, resumable). If a
// rank fails, the others get SIGTERM, and SIGKILL after a while; then Error says which rank failed first,
// how, and what its last lines were (rank 0's are above).
int run_local_ranks(const std::vector<std::string>& command, int ranks);

// Whether run_local_ranks() started this process. Then it gets SIGTERM when the launcher dies.
bool end_with_launcher();

}  // namespace actionclip
