#include "actionclip/core/progress.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

namespace actionclip {
namespace {

std::recursive_mutex& drawing_mutex() {
  static std::recursive_mutex mutex;
  return mutex;
}

std::atomic<bool> turned_off = false;

bool stderr_is_terminal() {
  const char* term = std::getenv("TERM");
  return isatty(STDERR_FILENO) == 1 && (term == nullptr || std::string_view(term) != "dumb");
}

int terminal_columns() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

constexpr std::string_view kClearLine = "\r\033[2K";

}  // namespace

std::string format_duration(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::llround(std::max(seconds, 0.0)));
  if (whole >= 3600) return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

ProgressBar::ProgressBar(std::string title, std::int64_t total, std::string unit, std::int64_t done)
    : title_(std::move(title)),
      unit_(std::move(unit)),
      total_(total),
      done_(done),
      done_before_(done),
      enabled_(!turned_off && stderr_is_terminal()),
      start_(std::chrono::steady_clock::now()) {}

ProgressBar::~ProgressBar() {
  if (!enabled_) return;
  const auto lock = std::lock_guard(drawing_mutex());
  fmt::print(stderr, "{}", kClearLine);
  std::fflush(stderr);
}

void ProgressBar::turn_off() { turned_off = true; }

void ProgressBar::advance(std::int64_t amount, const std::string& note) {
  const auto lock = std::lock_guard(drawing_mutex());
  done_ += amount;
  if (!note.empty()) note_ = note;
  const auto now = std::chrono::steady_clock::now();
  if (enabled_ && now - last_draw_ >= std::chrono::milliseconds(100)) {
    last_draw_ = now;
    draw();
  }
}

std::string ProgressBar::render(double seconds, int columns) const {
  const double share = total_ > 0 ? std::clamp(static_cast<double>(done_) / total_, 0.0, 1.0) : 0.0;
  const double rate = seconds > 0 ? static_cast<double>(done_ - done_before_) / seconds : 0.0;
  const std::string left = rate > 0 ? format_duration((total_ - done_) / rate) : "?";
  const std::string figures = fmt::format(" {:3.0f}% {}/{} {} {:.1f}/s, {} left{}{}", 100 * share, done_,
                                          total_, unit_, rate, left, note_.empty() ? "" : ", ", note_);
  const int room = columns - 1 - static_cast<int>(title_.size() + figures.size()) - 3;
  if (room < 5) return (title_ + figures).substr(0, std::max(columns - 1, 0));
  const int width = std::min(room, 30);
  const int filled = static_cast<int>(std::lround(share * width));
  return fmt::format("{} [{}{}]{}", title_, std::string(filled, '#'), std::string(width - filled, '.'),
                     figures);
}

void ProgressBar::draw() {
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start_;
  fmt::print(stderr, "{}{}", kClearLine, render(elapsed.count(), terminal_columns()));
  std::fflush(stderr);
}

std::unique_lock<std::recursive_mutex> ProgressBar::pause_drawing() {
  std::unique_lock lock(drawing_mutex());
  static const bool terminal = stderr_is_terminal();
  if (terminal) {
    fmt::print(stderr, "{}", kClearLine);
    std::fflush(stderr);
  }
  return lock;
}

}  // namespace actionclip
