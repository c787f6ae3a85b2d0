// Ranks that are threads of the test, each with a real Gloo group over a store in memory.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <torch/csrc/distributed/c10d/HashStore.hpp>

#include "distributed/c10d_group.h"

namespace actionclip {

using Ranks = std::vector<std::shared_ptr<C10dGroup>>;

// Runs `work` for each rank in a thread of its own. Throws what the first of them threw.
inline void on_every_rank(int ranks, const std::function<void(int rank)>& work) {
  std::vector<std::exception_ptr> failures(static_cast<std::size_t>(ranks));
  {
    std::vector<std::jthread> threads;
    for (int rank = 0; rank < ranks; ++rank) {
      threads.emplace_back([&, rank] {
        try {
          work(rank);
        } catch (...) {
          failures[static_cast<std::size_t>(rank)] = std::current_exception();
        }
      });
    }
  }
  for (const auto& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

inline Ranks make_ranks(int world_size, DistributedConfig config = {.collective_timeout = 30}) {
  const auto store = c10::make_intrusive<c10d::HashStore>();
  Ranks ranks(static_cast<std::size_t>(world_size));
  on_every_rank(world_size, [&](int rank) {
    ranks[static_cast<std::size_t>(rank)] = std::make_shared<C10dGroup>(
        store, RankPlace{.rank = rank, .world_size = world_size, .address = "127.0.0.1"}, config);
  });
  return ranks;
}

}  // namespace actionclip
