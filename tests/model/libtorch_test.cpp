#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace {

TEST(LibTorch, ComputesAProduct) {
  const auto a = at::eye(3) * 2;
  EXPECT_TRUE(at::equal(at::matmul(a, a), at::eye(3) * 4));
}

}  // namespace
