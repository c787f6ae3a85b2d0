// Independent pieces of work on several threads, their results taken in order.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <future>
#include <type_traits>
#include <utility>

#include "actionclip/core/worker_pool.h"

namespace actionclip {

// Calls work(i) for i in [0, count) on `threads` threads (0: in this one), and take(i, its result) in this
// thread, in the order of i. `ahead` results at most are under way or wait. What either throws ends it.
template <typename Work, typename Take>
void work_in_order(std::int64_t count, int threads, std::size_t ahead, const Work& work, const Take& take) {
  std::deque<std::future<std::invoke_result_t<Work, std::int64_t>>> under_way;
  WorkerPool pool(threads, ahead);  // last, as it finishes its tasks when it goes, and they use what is above
  std::int64_t taken = 0;
  const auto take_oldest = [&] {
    auto result = std::move(under_way.front());
    under_way.pop_front();
    take(taken++, result.get());
  };
  for (std::int64_t i = 0; i < count; ++i) {
    if (under_way.size() >= std::max<std::size_t>(ahead, 1)) take_oldest();
    under_way.push_back(pool.submit([&work, i] { return work(i); }));
  }
  while (!under_way.empty()) take_oldest();
}

}  // namespace actionclip
