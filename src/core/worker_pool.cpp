#include "actionclip/core/worker_pool.h"

namespace actionclip {

WorkerPool::WorkerPool(int threads, std::size_t queue_capacity) : queue_(queue_capacity) {
  threads_.reserve(threads);
  for (int i = 0; i < threads; ++i) {
    threads_.emplace_back([this] {
      while (auto task = queue_.pop()) {
        if (!stopping_) (*task)();
      }
    });
  }
}

WorkerPool::~WorkerPool() {
  stopping_ = true;
  queue_.close();
  for (auto& thread : threads_) thread.join();
}

void WorkerPool::run(std::function<void()> task) {
  if (threads_.empty()) {
    task();
  } else {
    queue_.push(std::move(task));
  }
}

}  // namespace actionclip
