#include "actionclip/protocols/linear_probe.h"

#include <stdexcept>

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <torch/optim/lbfgs.h>

namespace actionclip {
namespace {

constexpr std::int64_t kRowsAtOnce = 8192;  // bounds the memory of their logits

// Value of the objective; its gradient goes to the parameters. The sum over the rows is in fp64, as the line
// search compares values that hardly differ.
at::Tensor evaluate_objective(const at::Tensor& embeddings, const at::Tensor& label_ids, double l2,
                              at::Tensor& weight, at::Tensor& bias) {
  const at::NoGradGuard no_grad;
  const auto rows = embeddings.size(0);
  auto weight_gradient = l2 * weight;
  auto bias_gradient = at::zeros_like(bias);
  double loss = l2 / 2 * weight.to(at::kDouble).square().sum().item<double>();
  for (std::int64_t begin = 0; begin < rows; begin += kRowsAtOnce) {
    const auto some = embeddings.slice(0, begin, begin + kRowsAtOnce);
    const auto labels = label_ids.slice(0, begin, begin + kRowsAtOnce).unsqueeze(1);
    const auto log_probabilities = at::log_softmax(at::linear(some, weight, bias), 1);
    loss -=
        log_probabilities.gather(1, labels).to(at::kDouble).sum().item<double>() / static_cast<double>(rows);
    auto errors = log_probabilities.exp();
    errors.scatter_add_(1, labels, -at::ones({labels.size(0), 1}));
    errors /= static_cast<double>(rows);
    weight_gradient.addmm_(errors.t(), some);
    bias_gradient += errors.sum(0);
  }
  weight.mutable_grad() = weight_gradient;
  bias.mutable_grad() = bias_gradient;
  return at::tensor(loss, at::kDouble);
}

}  // namespace

at::Tensor LinearProbe::logits(const at::Tensor& embeddings) const {
  return at::linear(embeddings, weight, bias);
}

LinearProbe fit_linear_probe(const at::Tensor& embeddings, const at::Tensor& label_ids, std::int64_t classes,
                             const LinearProbeOptions& options, const LinearProbe* start) {
  if (embeddings.size(0) == 0 || !(options.l2 > 0))
    throw std::invalid_argument("a linear probe needs embeddings and a positive l2");
  LinearProbe probe{.weight = at::zeros({classes, embeddings.size(1)}), .bias = at::zeros({classes})};
  if (start != nullptr) probe = {.weight = start->weight.clone(), .bias = start->bias.clone()};
  torch::optim::LBFGS optimizer({probe.weight, probe.bias}, torch::optim::LBFGSOptions(1)
                                                                .max_iter(options.max_iterations)
                                                                .max_eval(2 * options.max_iterations)
                                                                .tolerance_grad(1e-7)
                                                                .tolerance_change(1e-10)
                                                                .history_size(10)
                                                                .line_search_fn("strong_wolfe"));
  const auto objective = [&] {
    return evaluate_objective(embeddings, label_ids, options.l2, probe.weight, probe.bias);
  };
  optimizer.step(objective);
  probe.loss = objective().item<double>();
  probe.weight.mutable_grad() = at::Tensor();
  probe.bias.mutable_grad() = at::Tensor();
  return probe;
}

}  // namespace actionclip
