#include "actionclip/train/weight_average.h"

#include <algorithm>
#include <string>
#include <utility>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_lerp.h>
#include <fmt/format.h>

#include "actionclip/core/error.h"

namespace actionclip {

WeightAverage::WeightAverage(double decay, NamedTensors parameters) : decay_(decay) {
  for (auto& [name, parameter] : parameters) {
    names_.push_back(std::move(name));
    average_.push_back(parameter.detach().clone());
    parameters_.push_back(std::move(parameter));
  }
}

void WeightAverage::update() {
  const auto t = static_cast<double>(updates_++);
  const double decay = std::min(decay_, (1 + t) / (10 + t));
  const at::NoGradGuard no_grad;
  at::_foreach_lerp_(average_, parameters_, 1 - decay);
}

void WeightAverage::swap() {
  const at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const auto values = parameters_[i].clone();
    parameters_[i].copy_(average_[i]);
    average_[i].copy_(values);
  }
}

StateDict WeightAverage::state_dict() const {
  StateDict result;
  for (std::size_t i = 0; i < names_.size(); ++i) result.emplace(names_[i], average_[i]);
  return result;
}

void WeightAverage::load(const StateDict& tensors, std::int64_t updates) {
  std::vector<at::Tensor> loaded;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const auto found = tensors.find(names_[i]);
    if (found == tensors.end() || found->second.sizes() != average_[i].sizes()) {
      throw WeightsError(
          fmt::format("the average of the weights does not fit the model: {} is {}, {} is needed", names_[i],
                      found == tensors.end() ? "missing" : shape_string(found->second.sizes().vec()),
                      shape_string(average_[i].sizes().vec())));
    }
    loaded.push_back(found->second);
  }
  const at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < loaded.size(); ++i) average_[i].copy_(loaded[i]);
  updates_ = updates;
}

AveragedWeights::AveragedWeights(WeightAverage* average) : average_(average) {
  if (average_ != nullptr) average_->swap();
}

AveragedWeights::~AveragedWeights() {
  if (average_ != nullptr) average_->swap();
}

}  // namespace actionclip
