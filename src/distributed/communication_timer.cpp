#include "communication_timer.h"

#include "device_event.h"

namespace actionclip {

void CommunicationTimer::begin() {
  if (device_.is_cpu()) {
    start_ = Clock::now();
  } else {
    start_event_ = record_event(device_, c10::EventFlag::BACKEND_DEFAULT);
  }
}

void CommunicationTimer::end() {
  if (start_) {
    seconds_ += std::chrono::duration<double>(Clock::now() - *start_).count();
    start_.reset();
  }
  if (start_event_) {
    spans_.emplace_back(std::move(*start_event_), record_event(device_, c10::EventFlag::BACKEND_DEFAULT));
    start_event_.reset();
  }
}

double CommunicationTimer::seconds() {
  constexpr double kSecondsPerMillisecond = 1e-3;
  for (const auto& [start, end] : spans_) {
    end.synchronize();
    seconds_ += start.elapsedTime(end) * kSecondsPerMillisecond;
  }
  spans_.clear();
  return seconds_;
}

}  // namespace actionclip
