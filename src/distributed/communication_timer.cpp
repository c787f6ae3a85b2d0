#include "communication_timer.h"

#include <c10/core/impl/VirtualGuardImpl.h>

namespace actionclip {

c10::Event CommunicationTimer::record() const {
  c10::Event event(device_.type(), c10::EventFlag::BACKEND_DEFAULT);  // the flag under which events tell time
  event.record(c10::impl::VirtualGuardImpl(device_.type()).getStream(device_));
  return event;
}

void CommunicationTimer::begin() {
  if (device_.is_cpu()) {
    start_ = Clock::now();
  } else {
    start_event_.emplace(record());
  }
}

void CommunicationTimer::end() {
  if (start_) {
    seconds_ += std::chrono::duration<double>(Clock::now() - *start_).count();
    start_.reset();
  }
  if (start_event_) {
    spans_.emplace_back(std::move(*start_event_), record());
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
