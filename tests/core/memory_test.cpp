#include "actionclip/core/memory.h"

#include <cstdint>
#include <sys/resource.h>
#include <vector>

#include <gtest/gtest.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define ACTIONCLIP_OTHER_ALLOCATOR
#endif
#endif

namespace actionclip {
namespace {

std::int64_t page_faults() {
  struct rusage usage {};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_minflt;
}

// A clip's frames: 8 MiB in pieces, all freed.
void use_a_clip() {
  std::vector<std::vector<std::uint8_t>> frames;
  for (int i = 0; i < 8; ++i) frames.emplace_back(std::size_t{1} << 20, std::uint8_t{1});
}

TEST(KeepFreedMemory, TheNextClipNeedsNoNewPages) {
#if defined(ACTIONCLIP_OTHER_ALLOCATOR)
  GTEST_SKIP() << "a sanitizer's allocator";
#endif
  keep_freed_memory();
  use_a_clip();
  const auto before = page_faults();
  for (int i = 0; i < 10; ++i) use_a_clip();
  EXPECT_LT(page_faults() - before, 1000) << "of 20480 pages that were written";
}

}  // namespace
}  // namespace actionclip
