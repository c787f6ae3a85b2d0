// What the parity tests share: tensors that Python wrote, and the measure of agreement.
#pragma once

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <string>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "actionclip/weights/safetensors.h"
#include "actionclip/weights/tensor_convert.h"

#include "tests/temporary_folder.h"
namespace actionclip {

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
