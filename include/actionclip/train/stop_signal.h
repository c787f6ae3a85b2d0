// SIGINT, SIGTERM and SIGUSR1 (which SLURM can send ahead of a job's time limit) as a request: the handler
// sets a flag and nothing else; the trainer looks at it at the end of a step, saves, and the program exits
// with kExitResumable.
#pragma once

namespace actionclip {

// Installs the handlers for its lifetime, and the former ones at its end. One within the lifetime of another
// shares that one's handlers and request, so that a loop over training runs sees what stopped a run. Further
// signals change nothing, as batch systems send them more than once; but a SIGINT two seconds or more after
// the first signal ends the process at once. Not to be made in several threads at a time.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  bool requested() const;
};

}  // namespace actionclip
