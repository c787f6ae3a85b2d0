// Optimisers on libtorch's fused kernels: one call updates all parameters of a group.
// Written here because libtorch's own C++ optimisers have no fused path (each takes several passes over each
// parameter) and can be saved only as TorchScript archives; these follow torch.optim's update rules and hand
// out their state as named tensors.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "actionclip/train/config.h"
#include "actionclip/weights/tensor_convert.h"

namespace actionclip {

// Parameters that share a learning rate and a weight decay. names[i] names parameters[i]. All of one type on
// one device.
struct ParameterGroup {
  std::string name;
  std::vector<std::string> names;
  std::vector<at::Tensor> parameters;
  double lr_ratio = 1;  // of the rate given to step()
  double weight_decay = 0;
};

class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  // Updates every parameter that has a gradient with the rate lr * lr_ratio of its group. The others, and
  // their state, stay.
  void step(double lr);

  // Sets every gradient to 0 in place: gradients may be views into the buckets that ranks reduce, and must
  // stay so.
  void zero_grad();

  // Every tensor of the state, shared, not copied: "SLOT.PARAMETER", e.g. "exp_avg.visual.proj",
  // "step.visual.proj".
  NamedTensors state_dict() const;

  // Copies `state` into the state. Throws WeightsError that lists what is missing, surplus or of another
  // shape; then nothing has changed.
  void load_state_dict(const NamedTensors& state);

  // The gradients that are defined, of all groups; for scaling, clipping and checks.
  std::vector<at::Tensor> gradients() const;

  const std::vector<ParameterGroup>& groups() const { return groups_; }

 protected:
  Optimizer(std::vector<ParameterGroup> groups, const std::vector<std::string>& slot_names);

  // What one call of a fused kernel takes, for the parameters of a group that have a gradient: slots[i] in
  // the order of slot_names.
  struct Update {
    std::vector<at::Tensor> parameters;
    std::vector<at::Tensor> gradients;
    std::vector<std::vector<at::Tensor>> slots;
    double lr;
    double weight_decay;
  };
  virtual void update(const Update& update) = 0;

 private:
  // The tensors kept for each parameter under one name: "exp_avg", "exp_avg_sq", "momentum_buffer" or "step".
  struct Slot {
    std::string name;
    std::vector<std::vector<at::Tensor>> tensors;  // [group][parameter]
  };

  Update gather(std::size_t group, double lr) const;

  std::vector<ParameterGroup> groups_;
  std::vector<Slot> slots_;
};

// The optimiser of `config`:
//   adamw  Adam with decoupled weight decay (Loshchilov and Hutter, 2019)
//   adam   Adam (Kingma and Ba, 2015), weight decay added to the gradient
//   sgd    stochastic gradient descent with momentum, weight decay added to the gradient
// Weight decay is each group's own; config.weight_decay is what the maker of the groups starts from.
// Throws std::invalid_argument if a name repeats, names and parameters differ in number, a group mixes types
// or devices, or a parameter is not dense.
std::unique_ptr<Optimizer> make_optimizer(const OptimizerConfig& config, std::vector<ParameterGroup> groups);

}  // namespace actionclip
