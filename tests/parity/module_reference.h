// A module against a reference of the same weights: cases are files of Python's, with `weights.*`, `upstream`
// and `grad.*`, the gradients of (features * upstream).sum().
#pragma once

#include <algorithm>
#include <map>
#include <string>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>
#include <torch/nn/module.h>

#include "tests/parity/reference_files.h"
#include "tests/temporary_folder.h"

namespace actionclip {

using Tensors = std::map<std::string, at::Tensor>;

inline Tensors read_case(const TemporaryFolder& folder, std::string name) {
  std::ranges::replace(name, '/', '_');
  return read_tensors((folder / (name + ".safetensors")).string());
}

// The tensors of `reference` whose names begin with `prefix`, without it.
inline Tensors below(const Tensors& reference, const std::string& prefix) {
  Tensors result;
  for (const auto& [name, tensor] : reference) {
    if (name.starts_with(prefix)) result.emplace(name.substr(prefix.size()), tensor);
  }
  return result;
}

inline Tensors tensors_of(const torch::nn::Module& module) {
  Tensors result;
  for (const auto& entry : module.named_parameters()) result.emplace(entry.key(), entry.value());
  for (const auto& entry : module.named_buffers()) result.emplace(entry.key(), entry.value());
  return result;
}

// Gives `module` the reference's weights, whose names and shapes must be the same.
inline void take_weights(const torch::nn::Module& module, const Tensors& reference) {
  const auto weights = below(reference, "weights.");
  const auto own = tensors_of(module);
  EXPECT_EQ(own.size(), weights.size());
  const at::NoGradGuard no_grad;
  for (const auto& [name, tensor] : weights) {
    if (!own.contains(name)) {
      ADD_FAILURE() << "no tensor is named " << name;
      continue;
    }
    EXPECT_EQ(own.at(name).sizes(), tensor.sizes()) << name;
    own.at(name).copy_(tensor);
  }
}

// Attention is the same whatever is added to all keys: the gradient of their bias is rounding alone.
inline at::Tensor without_key_bias(const std::string& name, const at::Tensor& gradient) {
  if (name.ends_with("k_proj.bias")) return at::zeros({1});
  if (!name.ends_with("in_proj_bias")) return gradient;
  const auto parts = gradient.chunk(3);
  return at::cat({parts[0], parts[2]});
}

inline void expect_same_gradient(const std::string& name, const at::Tensor& ours, const at::Tensor& reference,
                                 double tolerance) {
  ASSERT_TRUE(ours.defined()) << name;
  EXPECT_LT(relative_error(without_key_bias(name, ours), without_key_bias(name, reference)), tolerance)
      << name;
}

inline void expect_same_gradients(const at::Tensor& features, const torch::nn::Module& module,
                                  const Tensors& reference, double tolerance) {
  (features * reference.at("upstream")).sum().backward();
  const auto expected = below(reference, "grad.");
  EXPECT_EQ(expected.size(), module.named_parameters().size());
  for (const auto& parameter : module.named_parameters())
    expect_same_gradient(parameter.key(), parameter.value().grad(), expected.at(parameter.key()), tolerance);
}

}  // namespace actionclip
