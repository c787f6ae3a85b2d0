#include "actionclip/train/stop_signal.h"

#include <array>
#include <atomic>
#include <csignal>
#include <cstddef>
#include <ctime>

namespace actionclip {
namespace {

constexpr std::array kSignals = {SIGINT, SIGTERM, SIGUSR1};

std::atomic<bool> stop_requested = false;
std::atomic<int> depth = 0;  // of StopSignals within one another

// What the signals did before the outermost StopSignal.
std::array<struct sigaction, kSignals.size()> former_actions = {};

std::atomic<long> requested_at = 0;  // seconds of a clock of its own
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<long>::is_always_lock_free,
              "handlers may use them");

long seconds_now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec;
}

// Batch systems send a signal more than once; only a person who presses Ctrl-C again does not want to wait.
void request_stop(int signal) {
  constexpr long kImpatience = 2;  // seconds
  if (!stop_requested) {
    requested_at = seconds_now();
    stop_requested = true;
  } else if (signal == SIGINT && seconds_now() - requested_at >= kImpatience) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
}

}  // namespace

StopSignal::StopSignal() {
  if (depth++ > 0) return;
  stop_requested = false;
  struct sigaction action = {};
  action.sa_handler = request_stop;
  action.sa_flags = SA_RESTART;  // what is being read or written goes on
  sigset_t signals;
  sigemptyset(&signals);
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    sigaction(kSignals[i], &action, &former_actions[i]);
    sigaddset(&signals, kSignals[i]);
  }
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);  // a launcher blocks them until here
}

StopSignal::~StopSignal() {
  if (--depth > 0) return;
  for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &former_actions[i], nullptr);
}

bool StopSignal::requested() const { return stop_requested; }

}  // namespace actionclip
