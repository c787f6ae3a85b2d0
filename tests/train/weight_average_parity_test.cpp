// The running average, of parameters and running statistics, against torch's AveragedModel.

#include <map>
#include <string>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "actionclip/train/weight_average.h"

#include "tests/parity/reference_files.h"
#include "tests/parity/run_python.h"

namespace actionclip {
namespace {

constexpr int kSteps = 6;

// The tensors below `prefix`, by the rest of their names.
NamedTensors below(const std::map<std::string, at::Tensor>& tensors, const std::string& prefix) {
  NamedTensors result;
  for (const auto& [name, tensor] : tensors) {
    if (name.starts_with(prefix)) result.emplace_back(name.substr(prefix.size()), tensor);
  }
  return result;
}

class WeightAverageParity : public ::testing::TestWithParam<const char*> {};

TEST_P(WeightAverageParity, EachStepIsPythons) {
  const TemporaryFolder folder;
  const std::string decay = GetParam();
  run_python("ema_reference.py", {decay, (folder / "case.safetensors").string()});
  const auto expected = read_tensors((folder / "case.safetensors").string());
  const auto values = below(expected, "initial.");
  ASSERT_EQ(values.size(), 8u) << "six parameters, two statistics";
  WeightAverage average(std::stod(decay), values);
  for (int step = 0; step < kSteps; ++step) {
    for (const auto& [name, tensor] : values)
      tensor.copy_(expected.at(fmt::format("value.{}.{}", step, name)));
    average.update();
    for (const auto& [name, tensor] : average.state_dict()) {
      EXPECT_LT(relative_error(tensor, expected.at(fmt::format("average.{}.{}", step, name))), 1e-5)
          << name << " at " << step;
    }
  }
}

// Below and above what the rising decay reaches.
INSTANTIATE_TEST_SUITE_P(Decays, WeightAverageParity, ::testing::Values("0.3", "0.99"),
                         [](const auto& info) { return info.index == 0 ? "Reached" : "Rising"; });

}  // namespace
}  // namespace actionclip
