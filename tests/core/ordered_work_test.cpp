// Work on several threads whose results are taken in order.

#include "actionclip/core/ordered_work.h"

#include <atomic>
#include <numeric>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

namespace actionclip {
namespace {

TEST(OrderedWork, ResultsComeInOrderWithAnyNumberOfThreads) {
  std::vector<std::int64_t> expected(100);
  std::iota(expected.begin(), expected.end(), 0);
  for (const int threads : {0, 1, 3}) {
    std::vector<std::int64_t> taken;
    work_in_order(
        100, threads, 7, [](std::int64_t i) { return 2 * i; },
        [&](std::int64_t i, std::int64_t result) {
          EXPECT_EQ(result, 2 * i);
          taken.push_back(i);
        });
    EXPECT_EQ(taken, expected) << threads;
  }
}

TEST(OrderedWork, WhatWorkThrowsEndsIt) {
  std::atomic<int> calls = 0;
  const auto work = [&](std::int64_t i) {
    ++calls;
    if (i == 3) throw std::runtime_error("three");
    return i;
  };
  std::int64_t taken = 0;
  EXPECT_THROW(work_in_order(1000, 2, 4, work, [&](std::int64_t, std::int64_t) { ++taken; }),
               std::runtime_error);
  EXPECT_EQ(taken, 3);
  EXPECT_LT(calls, 20);
}

}  // namespace
}  // namespace actionclip
