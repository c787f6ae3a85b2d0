// How long a rank's work stands still for collectives.
#pragma once

#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include <c10/core/Device.h>
#include <c10/core/Event.h>

namespace actionclip {

// On the CPU the caller's time counts; on a GPU the time of the current stream, which collectives hold up
// without the caller noticing. One begin() and end() at a time.
class CommunicationTimer {
 public:
  explicit CommunicationTimer(c10::Device device) : device_(device) {}

  // Again before end(): the later one counts.
  void begin();
  // Without begin(): nothing.
  void end();

  // Of all spans until now; waits for the device where they lie on a GPU.
  double seconds();

 private:
  using Clock = std::chrono::steady_clock;

  const c10::Device device_;
  double seconds_ = 0;
  std::optional<Clock::time_point> start_;
  std::optional<c10::Event> start_event_;
  std::vector<std::pair<c10::Event, c10::Event>> spans_;  // on the GPU, not yet measured
};

}  // namespace actionclip
