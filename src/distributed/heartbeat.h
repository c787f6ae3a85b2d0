// Tells which ranks are alive: each sets a key of the store anew every second, in a thread of its own, so
// that a rank that computes for long still beats and one that is stopped or dead does not.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <torch/csrc/distributed/c10d/Store.hpp>

namespace actionclip {

class Heartbeat {
 public:
  Heartbeat(const c10::intrusive_ptr<c10d::Store>& store, int rank, int world_size);
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

  // The ranks whose heart does not beat, after watching for some seconds. Throws what the store throws. Where
  // the process that holds the store is stopped, this can wait for ever, as can the destructor.
  std::vector<int> silent_ranks();

  // Ends the beat of this rank, which gives up because of others: their search does not find it silent.
  void leave();

 private:
  void beat();
  std::string read(int rank);

  c10::intrusive_ptr<c10d::Store> store_;
  const int rank_;
  const int world_size_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace actionclip
