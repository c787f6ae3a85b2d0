// A limit on the time that reading a video may take.
#pragma once

#include <algorithm>
#include <chrono>

namespace actionclip {

class Deadline {
 public:
  // `seconds` from now; 0: never.
  explicit Deadline(double seconds) : seconds_(seconds), end_(Clock::now()) {
    constexpr double kLongest = 1e9;  // more is never, and would overflow the clock
    end_ += std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double>(std::min(seconds, kLongest)));
  }

  double seconds() const { return seconds_; }
  bool passed() const { return seconds_ > 0 && Clock::now() >= end_; }

 private:
  using Clock = std::chrono::steady_clock;

  double seconds_;
  Clock::time_point end_;
};

}  // namespace actionclip
