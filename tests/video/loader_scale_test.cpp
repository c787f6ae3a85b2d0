// What the loader does no more of than it must: reading, waiting, memory.

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "actionclip/video/loader.h"

#include "tests/child_process.h"
#include "tests/model/tensor_memory.h"
#include "tests/video/fake_videos.h"
#include "tests/video/loader_case.h"

namespace actionclip {
namespace {

TEST(Loader, ResumingInMidEpochOpensNoEarlierVideo) {
  std::mutex mutex;
  std::set<std::int64_t> opened;
  const auto noting = [&](const VideoEntry& entry, const FrameChooser& choose) {
    {
      const std::lock_guard lock(mutex);
      opened.insert(entry.label_id());
    }
    return fake_frames()(entry, choose);
  };
  const ClipDataset dataset(fake_list(20), fake_options(), noting);
  auto options = training_options();
  const auto order = indices_of(epoch_of(dataset, options, 1));
  for (const std::int64_t workers : {0, 3}) {
    options.workers = workers;
    opened.clear();
    epoch_of(dataset, options, 1, /*first_batch=*/3);
    EXPECT_EQ(opened, std::set(order.begin() + 12, order.end()));
  }
}

// Back-pressure: workers that are quicker than the step wait for it.
TEST(Loader, ClipsThatAreAliveAreAtMostThoseOfPrefetchAndTwoBatches) {
  std::atomic<std::int64_t> started = 0;
  const auto counting = [&](const VideoEntry& entry, const FrameChooser& choose) {
    ++started;
    return noisy_frames(24, 20)(entry, choose);
  };
  const ClipDataset dataset(fake_list(64), fake_options(), counting);
  auto options = training_options();
  options.workers = 3;
  constexpr std::int64_t kClipBytes = 4 * 3 * 16 * 16, kSlack = 4096;  // of labels and the like
  for (const std::int64_t prefetch : {1, 3}) {
    options.prefetch = prefetch;
    started = 0;
    const auto memory = std::make_shared<TensorMemory>();
    {
      const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, memory);
      Loader loader(dataset, options);
      loader.start_epoch(0);
      std::optional<Batch> batch;  // alive until the next one is there, as the training step has it
      for (std::int64_t taken = 0; taken < 16; ++taken) {
        batch = loader.next();
        std::this_thread::sleep_for(std::chrono::milliseconds(3));
        EXPECT_LE(started, (taken + 1 + prefetch) * 4);
      }
    }
    EXPECT_GE(memory->peak(), (prefetch + 1) * 4 * kClipBytes);
    EXPECT_LE(memory->peak(), (prefetch + 2) * 4 * kClipBytes + kSlack);
  }
}

// Nothing between the workers may make one wait for another: here each only waits for its disk.
TEST(Loader, FourWorkersLoadSideBySide) {
  const auto slow = [](const VideoEntry& entry, const FrameChooser& choose) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return fake_frames()(entry, choose);
  };
  const ClipDataset dataset(fake_list(64), fake_options(), slow);
  const auto seconds_of = [&](std::int64_t workers) {
    auto options = training_options();
    options.workers = workers;
    const auto start = std::chrono::steady_clock::now();
    epoch_of(dataset, options);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  EXPECT_LT(seconds_of(4), 0.6 * seconds_of(1)) << "0.25 on a machine that does nothing else";
}

TEST(Loader, AMillionVideosStartInSecondsAndLittleMemory) {
  if (!kMemoryTells) GTEST_SKIP() << "memory tells nothing under this sanitizer";
  const auto before = process_memory("VmRSS");
  VideoList list;
  for (int i = 0; i < 1'000'000; ++i) {
    VideoEntry entry;
    entry.path = fmt::format("abseiling/video_{:012d}_000010_000020.mp4", i);
    entry.label_ids = {i % 400};
    list.add(entry);
  }
  const ClipDataset dataset(std::move(list), fake_options(), noisy_frames(24, 20));
  const auto start = std::chrono::steady_clock::now();
  Loader loader(dataset, training_options());
  loader.start_epoch(3);
  EXPECT_TRUE(loader.next().has_value());
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
  EXPECT_LT(process_memory("VmRSS") - before, 300 << 20);
}

TEST(Loader, WorkersPrepareBatchesAheadAndNoMoreThanAsked) {
  std::atomic<int> fetched = 0;
  const auto counting = [&](const VideoEntry& entry, const FrameChooser& choose) {
    ++fetched;
    return fake_frames()(entry, choose);
  };
  const ClipDataset dataset(fake_list(40), fake_options(), counting);
  auto options = test_options(4);
  Loader loader(dataset, options);
  loader.start_epoch(0);
  loader.next();
  // One batch was taken, and two more are prepared whether or not they are asked for.
  while (fetched < 12) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(fetched, 12);
}

}  // namespace
}  // namespace actionclip
