// A progress bar for long work: share done, rate, time left and a note, redrawn in place on stderr.
// Not a terminal (a file, CI, a pipe), or TERM=dumb: silent, so that logs stay readable.
// Written here because no packaged C++ library draws one (indicators is not in Debian).
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

namespace actionclip {

class ProgressBar {
 public:
  // `total` units of `unit` (e.g. "videos"); `done` of them before this run began (a resumed run).
  ProgressBar(std::string title, std::int64_t total, std::string unit, std::int64_t done = 0);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // Adds `amount` finished units; redraws at most ten times a second. `note` follows the figures
  // ("loss 1.23"). Thread-safe.
  void advance(std::int64_t amount, const std::string& note = "");

  // The text of the bar at a width of `columns`, for a time since the start of `seconds`; what advance()
  // draws.
  std::string render(double seconds, int columns) const;

  // No bar that is made from now on is drawn.
  static void turn_off();

  // While the returned lock lives, no bar is drawn and the line is clear: hold it to print something else on
  // the terminal.
  static std::unique_lock<std::recursive_mutex> pause_drawing();

 private:
  void draw();

  std::string title_;
  std::string unit_;
  std::string note_;
  std::int64_t total_;
  std::int64_t done_;
  std::int64_t done_before_;
  bool enabled_;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point last_draw_;
};

// "1:02:03", "4:05": a duration as people read it.
std::string format_duration(double seconds);

}  // namespace actionclip
