// SIGINT and SIGTERM as a request: the handler sets a flag and nothing else; the trainer looks at it at the
// end of a step, saves, and the program exits with 75 ("resume me").
#pragma once

namespace actionclip {

constexpr int kExitResumable = 75;

// Installs the handlers for its lifetime. A second signal while the first is waiting ends the process at
// once.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  bool requested() const;
};

}  // namespace actionclip
