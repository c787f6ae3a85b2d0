#include "actionclip/train/stop_signal.h"

#include <array>
#include <csignal>
#include <cstddef>

namespace actionclip {
namespace {

constexpr std::array kSignals = {SIGINT, SIGTERM, SIGUSR1};

volatile std::sig_atomic_t stop_requested = 0;
int depth = 0;  // of StopSignals within one another

// What the signals did before the outermost StopSignal.
std::array<struct sigaction, kSignals.size()> former_actions = {};

void request_stop(int signal) {
  if (stop_requested != 0) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
  stop_requested = 1;
}

}  // namespace

StopSignal::StopSignal() {
  if (depth++ > 0) return;
  stop_requested = 0;
  struct sigaction action = {};
  action.sa_handler = request_stop;
  action.sa_flags = SA_RESTART;  // what is being read or written goes on
  for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &action, &former_actions[i]);
}

StopSignal::~StopSignal() {
  if (--depth > 0) return;
  for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &former_actions[i], nullptr);
}

bool StopSignal::requested() const { return stop_requested != 0; }

}  // namespace actionclip
