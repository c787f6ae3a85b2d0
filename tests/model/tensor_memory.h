// What tensors take, as libtorch's profiler sees it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>

namespace actionclip {

// Adds up the tensors that are allocated and freed on the CPU while it is the thread's.
class TensorMemory : public c10::MemoryReportingInfoBase {
 public:
  void reportMemoryUsage(void* /*memory*/, std::int64_t bytes, std::size_t /*allocated*/,
                         std::size_t /*reserved*/, c10::Device /*device*/) override {
    alive_ += bytes;
    peak_ = std::max(peak_, alive_);
  }
  bool memoryProfilingEnabled() const override { return true; }
  std::int64_t alive() const { return alive_; }
  std::int64_t peak() const { return peak_; }

 private:
  std::int64_t alive_ = 0;
  std::int64_t peak_ = 0;
};

// Bytes that are alive behind `work` and were not before.
inline std::int64_t bytes_left_by(const std::function<void()>& work) {
  const auto memory = std::make_shared<TensorMemory>();
  const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, memory);
  work();
  return memory->alive();
}

}  // namespace actionclip
