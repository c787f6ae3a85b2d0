// A fixed set of threads that run submitted functions and return their results, or their exceptions, through
// futures.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "actionclip/core/bounded_queue.h"

namespace actionclip {

class WorkerPool {
 public:
  // With 0 threads, submit() runs the function at once, in the calling thread.
  explicit WorkerPool(int threads, std::size_t queue_capacity = 1024);

  // Finishes what runs, drops what waits (their futures report a broken promise).
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Blocks while the queue is full.
  template <typename F>
  std::future<std::invoke_result_t<F>> submit(F function) {
    auto task = std::make_shared<std::packaged_task<std::invoke_result_t<F>()>>(std::move(function));
    auto result = task->get_future();
    run([task] { (*task)(); });
    return result;
  }

 private:
  void run(std::function<void()> task);

  BoundedQueue<std::function<void()>> queue_;
  std::atomic<bool> stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace actionclip
