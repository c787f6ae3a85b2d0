// A linear classifier of video features: 1-of-N recognition, which ActionCLIP (its ablations) compares the
// matching of texts with. It knows the labels that it was trained on, and no others.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

namespace actionclip {

class ClassifierHeadImpl : public torch::nn::Module {
 public:
  // Weights start N(0, 0.01), biases 0: all classes are nearly as likely.
  ClassifierHeadImpl(std::int64_t width, std::int64_t classes);

  // Video features [..., D] as the fusion head gives them, not normalised -> logits [..., C], computed in
  // fp32.
  at::Tensor forward(const at::Tensor& features);

  at::Tensor weight;  // [C, D]
  at::Tensor bias;    // [C]
};
TORCH_MODULE(ClassifierHead);

}  // namespace actionclip
