// What the parity tests share: a folder of a test's own, tensors that Python wrote, and the measure of agreement.
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <filesystem>
#include <map>
#include <string>

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "actionclip/weights/safetensors.h"
#include "actionclip/weights/tensor_convert.h"

namespace actionclip {

// A fresh folder named after the running test; removed with everything in it at the end.
class TestFolder {
 public:
  explicit TestFolder(const std::string& purpose = "files") {
    static std::atomic<int> count = 0;
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    std::string name = std::string(test->test_suite_name()) + "." + test->name() + "." + purpose + "." +
                       std::to_string(getpid()) + "." + std::to_string(count++);
    std::replace(name.begin(), name.end(), '/', '_');
    path_ = std::filesystem::path(::testing::TempDir()) / name;
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

inline std::map<std::string, at::Tensor> read_tensors(const std::string& file) {
  std::map<std::string, at::Tensor> tensors;
  for (const auto& [name, data] : read_safetensors(file).tensors) tensors.emplace(name, to_tensor(data));
  return tensors;
}

// Largest deviation in units of the reference's largest value.
inline double relative_error(const at::Tensor& ours, const at::Tensor& reference) {
  EXPECT_EQ(ours.sizes(), reference.sizes());
  if (ours.sizes() != reference.sizes()) return INFINITY;
  const double size = std::max(reference.abs().max().item<double>(), 1e-12);
  return (ours.detach().to(at::kDouble) - reference.to(at::kDouble)).abs().max().item<double>() / size;
}

}  // namespace actionclip
