#include "actionclip/train/optimizer.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <tuple>
#include <utility>

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "actionclip/core/error.h"

namespace actionclip {
namespace {

void check_groups(const std::vector<ParameterGroup>& groups) {
  std::set<std::string> seen;
  for (const auto& group : groups) {
    if (group.names.size() != group.parameters.size()) {
      throw std::invalid_argument(fmt::format("parameter group '{}': {} names for {} parameters", group.name,
                                              group.names.size(), group.parameters.size()));
    }
    for (std::size_t i = 0; i < group.names.size(); ++i) {
      const auto& name = group.names[i];
      const auto& parameter = group.parameters[i];
      const auto& first = group.parameters.front();
      if (!seen.insert(name).second)
        throw std::invalid_argument(fmt::format("parameter '{}' is given twice", name));
      if (parameter.scalar_type() != first.scalar_type() || parameter.device() != first.device()) {
        throw std::invalid_argument(
            fmt::format("parameter group '{}': '{}' is {} on {}, '{}' is {} on {}", group.name,
                        group.names.front(), at::toString(first.scalar_type()), first.device().str(), name,
                        at::toString(parameter.scalar_type()), parameter.device().str()));
      }
      if (!parameter.is_non_overlapping_and_dense()) {
        throw std::invalid_argument(fmt::format("parameter '{}' is a view with gaps", name));
      }
    }
  }
}

// The fused kernels walk memory without a look at strides: a gradient must be laid out like its parameter.
at::Tensor laid_out_as(const at::Tensor& gradient, const at::Tensor& parameter) {
  if (gradient.strides() == parameter.strides() && gradient.scalar_type() == parameter.scalar_type())
    return gradient;
  return at::empty_like(parameter).copy_(gradient);
}

std::string list_some(const char* what, const std::vector<std::string>& items) {
  constexpr std::size_t kShown = 8;
  if (items.empty()) return "";
  const auto end = items.begin() + static_cast<std::ptrdiff_t>(std::min(items.size(), kShown));
  const auto more = items.size() > kShown ? fmt::format(" and {} more", items.size() - kShown) : "";
  return fmt::format("; {}: {}{}", what, fmt::join(items.begin(), end, ", "), more);
}

// Adam in its two forms; they differ in where the weight decay enters.
class Adam final : public Optimizer {
 public:
  Adam(std::vector<ParameterGroup> groups, const OptimizerConfig& config)
      : Optimizer(std::move(groups), {"exp_avg", "exp_avg_sq", "step"}),
        update_(config.kind == OptimizerKind::adamw ? fused(at::_fused_adamw_) : fused(at::_fused_adam_)),
        config_(config) {}

 private:
  using FusedUpdate = void (*)(at::TensorList, at::TensorList, at::TensorList, at::TensorList, at::TensorList,
                               at::TensorList, double, double, double, double, double, bool, bool,
                               const std::optional<at::Tensor>&, const std::optional<at::Tensor>&);
  // Picks the overload whose learning rate is a number.
  static FusedUpdate fused(FusedUpdate function) { return function; }

  void update(const Update& update) override {
    const auto& [averages, squares, steps] = std::tie(update.slots[0], update.slots[1], update.slots[2]);
    at::_foreach_add_(steps, 1);
    update_(update.parameters, update.gradients, averages, squares, /*max_exp_avg_sqs=*/{}, steps, update.lr,
            config_.beta1, config_.beta2, update.weight_decay, config_.eps, /*amsgrad=*/false,
            /*maximize=*/false, /*grad_scale=*/{}, /*found_inf=*/{});
  }

  FusedUpdate update_;
  OptimizerConfig config_;
};

class Sgd final : public Optimizer {
 public:
  Sgd(std::vector<ParameterGroup> groups, double momentum)
      : Optimizer(std::move(groups),
                  momentum == 0 ? std::vector<std::string>{} : std::vector<std::string>{"momentum_buffer"}),
        momentum_(momentum) {}

 private:
  void update(const Update& update) override {
    const auto buffers = update.slots.empty() ? at::TensorList() : at::TensorList(update.slots[0]);
    // Buffers start at 0, which without dampening gives what a first step is: the gradient itself.
    at::_fused_sgd_(update.parameters, update.gradients, buffers, update.weight_decay, momentum_, update.lr,
                    /*dampening=*/0, /*nesterov=*/false, /*maximize=*/false, /*is_first_step=*/false);
  }

  double momentum_;
};

}  // namespace

Optimizer::Optimizer(std::vector<ParameterGroup> groups, const std::vector<std::string>& slot_names)
    : groups_(std::move(groups)) {
  check_groups(groups_);
  for (const auto& name : slot_names) {
    Slot slot{name, {}};
    for (const auto& group : groups_) {
      auto& tensors = slot.tensors.emplace_back();
      for (const auto& parameter : group.parameters) {
        // The kernels count steps in a float32 tensor beside each parameter.
        tensors.push_back(name == "step"
                              ? at::zeros({}, parameter.options().dtype(at::kFloat).requires_grad(false))
                              : at::zeros_like(parameter).requires_grad_(false));
      }
    }
    slots_.push_back(std::move(slot));
  }
}

void Optimizer::step(double lr) {
  const at::NoGradGuard no_grad;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const auto gathered = gather(g, lr);
    if (!gathered.parameters.empty()) update(gathered);
  }
}

Optimizer::Update Optimizer::gather(std::size_t g, double lr) const {
  const auto& group = groups_[g];
  Update update;
  update.slots.resize(slots_.size());
  update.lr = lr * group.lr_ratio;
  update.weight_decay = group.weight_decay;
  for (std::size_t i = 0; i < group.parameters.size(); ++i) {
    const auto& parameter = group.parameters[i];
    const auto& gradient = parameter.grad();
    if (!gradient.defined()) continue;
    update.parameters.push_back(parameter);
    update.gradients.push_back(laid_out_as(gradient, parameter));
    for (std::size_t s = 0; s < slots_.size(); ++s) update.slots[s].push_back(slots_[s].tensors[g][i]);
  }
  return update;
}

void Optimizer::zero_grad() {
  const at::NoGradGuard no_grad;
  const auto all = gradients();
  if (!all.empty()) at::_foreach_zero_(all);
}

std::vector<at::Tensor> Optimizer::gradients() const {
  std::vector<at::Tensor> all;
  for (const auto& group : groups_) {
    for (const auto& parameter : group.parameters) {
      if (parameter.grad().defined()) all.push_back(parameter.grad());
    }
  }
  return all;
}

NamedTensors Optimizer::state_dict() const {
  NamedTensors state;
  for (const auto& slot : slots_) {
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      for (std::size_t i = 0; i < groups_[g].names.size(); ++i) {
        state.emplace_back(slot.name + '.' + groups_[g].names[i], slot.tensors[g][i]);
      }
    }
  }
  return state;
}

void Optimizer::load_state_dict(const NamedTensors& state) {
  std::map<std::string, at::Tensor> given(state.begin(), state.end());
  std::vector<std::string> missing;
  std::vector<std::string> misshapen;
  std::vector<std::pair<at::Tensor, at::Tensor>> copies;
  for (const auto& [name, own] : state_dict()) {
    const auto found = given.find(name);
    if (found == given.end()) {
      missing.push_back(name);
      continue;
    }
    if (found->second.sizes() != own.sizes()) {
      misshapen.push_back(fmt::format("{} {} instead of {}", name, shape_string(found->second.sizes().vec()),
                                      shape_string(own.sizes().vec())));
    }
    copies.emplace_back(own, found->second);
    given.erase(found);
  }
  std::vector<std::string> surplus;
  for (const auto& [name, tensor] : given) surplus.push_back(name);
  if (!missing.empty() || !surplus.empty() || !misshapen.empty()) {
    throw WeightsError("the optimizer's state does not fit the model" + list_some("missing", missing) +
                       list_some("surplus", surplus) + list_some("of another shape", misshapen));
  }
  const at::NoGradGuard no_grad;
  for (auto& [own, loaded] : copies) own.copy_(loaded);
}

std::unique_ptr<Optimizer> make_optimizer(const OptimizerConfig& config, std::vector<ParameterGroup> groups) {
  if (config.kind == OptimizerKind::sgd) return std::make_unique<Sgd>(std::move(groups), config.momentum);
  return std::make_unique<Adam>(std::move(groups), config);
}

}  // namespace actionclip
