// Ranks that are threads of the test: the least that ProcessGroup's contract asks for.
#pragma once

#include <barrier>
#include <exception>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <ATen/ATen.h>

#include "actionclip/distributed/process_group.h"

namespace actionclip {

// Where the threads meet to exchange tensors.
class Meeting {
 public:
  explicit Meeting(int ranks) : barrier_(ranks), tensors_(static_cast<std::size_t>(ranks)) {}

  // What every rank brought, in rank order.
  std::vector<at::Tensor> exchange(int rank, const at::Tensor& own) {
    tensors_[static_cast<std::size_t>(rank)] = own;
    barrier_.arrive_and_wait();
    auto all = tensors_;
    barrier_.arrive_and_wait();
    return all;
  }

  // Of a rank that failed: the others need not wait for it.
  void leave() { barrier_.arrive_and_drop(); }

 private:
  std::barrier<> barrier_;
  std::vector<at::Tensor> tensors_;
};

class ThreadGroup : public ProcessGroup {
 public:
  ThreadGroup(int rank, int world_size, std::shared_ptr<Meeting> meeting)
      : rank_(rank), world_size_(world_size), meeting_(std::move(meeting)) {}

  int rank() const override { return rank_; }
  int world_size() const override { return world_size_; }

  at::Tensor gather(const at::Tensor& rows) override {
    auto parts = meeting_->exchange(rank_, rows.detach());
    parts[static_cast<std::size_t>(rank_)] = rows;
    const at::Tensor gathered = at::cat(parts);
    if (gathered.requires_grad()) {
      gathered.register_hook([this](const at::Tensor& gradient) {
        at::Tensor sum = gradient.clone();
        all_reduce_sum(sum);
        return sum;
      });
    }
    return gathered;
  }

  void all_reduce_sum(at::Tensor& values) override {
    const auto parts = meeting_->exchange(rank_, values.clone());
    values.zero_();
    for (const auto& part : parts) values.add_(part);
  }

  void leave() { meeting_->leave(); }

 private:
  int rank_;
  int world_size_;
  std::shared_ptr<Meeting> meeting_;
};

using Ranks = std::vector<std::shared_ptr<ThreadGroup>>;

inline Ranks make_ranks(int world_size) {
  const auto meeting = std::make_shared<Meeting>(world_size);
  Ranks ranks;
  for (int rank = 0; rank < world_size; ++rank) {
    ranks.push_back(std::make_shared<ThreadGroup>(rank, world_size, meeting));
  }
  return ranks;
}

// Runs `work` on every rank at once. Throws what the first of them threw.
inline void on_every_rank(const Ranks& ranks, const std::function<void(int rank)>& work) {
  std::vector<std::exception_ptr> failures(ranks.size());
  {
    std::vector<std::jthread> threads;
    for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
      threads.emplace_back([&, rank] {
        try {
          work(static_cast<int>(rank));
        } catch (...) {
          failures[rank] = std::current_exception();
          ranks[rank]->leave();
        }
      });
    }
  }
  for (const auto& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

}  // namespace actionclip
