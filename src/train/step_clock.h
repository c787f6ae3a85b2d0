// What a step takes, from the making of the clock on.
#pragma once

#include <chrono>
#include <ctime>

namespace actionclip {

class StepClock {
 public:
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

  // Of all cores, as the process has used them.
  double cpu_seconds() const { return static_cast<double>(std::clock() - cpu_start_) / CLOCKS_PER_SEC; }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
  std::clock_t cpu_start_ = std::clock();
};

}  // namespace actionclip
