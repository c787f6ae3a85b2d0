#include "heartbeat.h"

#include <chrono>
#include <exception>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace actionclip {
namespace {

using namespace std::chrono_literals;
constexpr auto kInterval = 1s;
constexpr auto kWatch = 3s;
constexpr const char* kLeft = "left";

std::string key_of(int rank) { return fmt::format("heartbeat/{}", rank); }

std::vector<std::uint8_t> bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

}  // namespace

Heartbeat::Heartbeat(const c10::intrusive_ptr<c10d::Store>& store, int rank, int world_size)
    // A clone: what waits in the store must not hold up the beats.
    : store_(store->clone()), rank_(rank), world_size_(world_size), thread_([this] { beat(); }) {}

Heartbeat::~Heartbeat() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Heartbeat::beat() {
  try {
    for (std::int64_t count = 0;; ++count) {
      std::unique_lock lock(mutex_);
      if (ended_) return;
      store_->set(key_of(rank_), bytes_of(std::to_string(count)));
      if (wake_.wait_for(lock, kInterval, [this] { return ended_; })) return;
    }
  } catch (const std::exception& problem) {
    spdlog::debug("heartbeat: the store is gone: {}", problem.what());
  }
}

std::string Heartbeat::read(int rank) {
  const std::lock_guard lock(mutex_);
  if (!store_->check({key_of(rank)})) return "";
  const auto bytes = store_->get(key_of(rank));
  return {bytes.begin(), bytes.end()};
}

std::vector<int> Heartbeat::silent_ranks() {
  std::vector<std::string> before;
  for (int rank = 0; rank < world_size_; ++rank) before.push_back(read(rank));
  std::this_thread::sleep_for(kWatch);
  std::vector<int> silent;
  for (int rank = 0; rank < world_size_; ++rank) {
    const auto now = read(rank);
    if (now != kLeft && now == before[static_cast<std::size_t>(rank)]) silent.push_back(rank);
  }
  return silent;
}

void Heartbeat::leave() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  store_->set(key_of(rank_), bytes_of(kLeft));
}

}  // namespace actionclip
