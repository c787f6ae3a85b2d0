#include "actionclip/model/autocast.h"

#include <gtest/gtest.h>

#include "actionclip/core/error.h"

namespace actionclip {
namespace {

// Its state is the thread's, so that no GPU is needed.
TEST(Autocast, AScopeInAnotherGivesBackThePrecisionThatItFound) {
  EXPECT_EQ(current_precision(c10::kCUDA), Precision::fp32);
  {
    const Autocast outer(c10::kCUDA, Precision::bf16);
    {
      const Autocast inner(c10::kCUDA, Precision::fp16);
      EXPECT_EQ(current_precision(c10::kCUDA), Precision::fp16);
    }
    EXPECT_EQ(current_precision(c10::kCUDA), Precision::bf16);
  }
  EXPECT_EQ(current_precision(c10::kCUDA), Precision::fp32);
}

TEST(Autocast, InFp16NeedsAGpu) {
  EXPECT_THROW(Autocast(c10::kCPU, Precision::fp16), Error);
  EXPECT_EQ(current_precision(c10::kCPU), Precision::fp32);
}

}  // namespace
}  // namespace actionclip
