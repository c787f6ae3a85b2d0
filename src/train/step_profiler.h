// A trace of some steps for Chrome's viewer (chrome://tracing, ui.perfetto.dev), from libtorch's own
// profiler: kernels, collectives and the phases of a step, over time.
#pragma once

#include <cstdint>
#include <filesystem>

namespace actionclip {

class StepProfiler {
 public:
  // Records `steps` steps, behind kWarmUp of them that are not typical, and then writes `file`. 0: nothing.
  StepProfiler(std::int64_t steps, std::filesystem::path file, bool on_gpu);
  ~StepProfiler();
  StepProfiler(const StepProfiler&) = delete;
  StepProfiler& operator=(const StepProfiler&) = delete;

  // Before each step, in the thread that takes it.
  void next_step();
  // Behind the last one: writes also what falls short of `steps`, and warns where that is nothing. Without
  // it, as after an error, what is not yet written is dropped.
  void finish();

  static constexpr std::int64_t kWarmUp = 2;

 private:
  void start();

  const std::int64_t steps_;
  const std::filesystem::path file_;
  const bool on_gpu_;
  std::int64_t taken_ = 0;
  bool recording_ = false;
};

}  // namespace actionclip
