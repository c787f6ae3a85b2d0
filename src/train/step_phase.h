// Names the parts of a training step where people look at time: in the profiler's trace (Chrome), and as NVTX
// ranges in NVIDIA's tools.
#pragma once

#include <functional>
#include <type_traits>

#include <ATen/record_function.h>

namespace actionclip {

class StepPhase {
 public:
  explicit StepPhase(const char* name);
  ~StepPhase();
  StepPhase(const StepPhase&) = delete;
  StepPhase& operator=(const StepPhase&) = delete;

 private:
  at::RecordFunction record_;
};

// work(), within the phase `name`.
template <typename Work>
std::invoke_result_t<Work&> in_phase(const char* name, const Work& work) {
  const StepPhase phase(name);
  return std::invoke(work);
}

}  // namespace actionclip
