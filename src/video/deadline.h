// A limit on the time that reading a video may take.
#pragma once

#include <chrono>

namespace actionclip {

class Deadline {
 public:
  // `seconds` from now; 0: never.
  explicit Deadline(double seconds)
      : seconds_(seconds),
        end_(Clock::now() +
             std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds))) {}

  double seconds() const { return seconds_; }
  bool passed() const { return seconds_ > 0 && Clock::now() >= end_; }

 private:
  using Clock = std::chrono::steady_clock;

  double seconds_;
  Clock::time_point end_;
};

}  // namespace actionclip
