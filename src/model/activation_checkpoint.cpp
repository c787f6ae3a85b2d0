#include "activation_checkpoint.h"

#include <algorithm>
#include <iterator>
#include <mutex>
#include <utility>

#include <ATen/Context.h>
#include <ATen/core/Generator.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include "actionclip/model/autocast.h"

namespace actionclip {
namespace {

at::Tensor random_state(const at::Device& device) {
  auto generator = at::globalContext().defaultGenerator(device);
  const std::lock_guard lock(generator.mutex());
  return generator.get_state();
}

void set_random_state(const at::Device& device, const at::Tensor& state) {
  auto generator = at::globalContext().defaultGenerator(device);
  const std::lock_guard lock(generator.mutex());
  generator.set_state(state);
}

// The random numbers of a device start again from `state` for a scope; behind it they go on as if nothing had
// been drawn. Does nothing without a state.
class ReplayedDraws {
 public:
  ReplayedDraws(at::Device device, const at::Tensor& state) : device_(device) {
    if (!state.defined()) return;
    former_ = random_state(device_);
    set_random_state(device_, state);
  }
  ~ReplayedDraws() {
    if (former_.defined()) set_random_state(device_, former_);
  }
  ReplayedDraws(const ReplayedDraws&) = delete;
  ReplayedDraws& operator=(const ReplayedDraws&) = delete;

 private:
  at::Device device_;
  at::Tensor former_;
};

// What the backward pass needs beside tensors.
struct Recipe : torch::CustomClassHolder {
  Recipe(Block block, Precision precision, at::Tensor random_state)
      : block(std::move(block)), precision(precision), random_state(std::move(random_state)) {}
  Block block;
  Precision precision;
  at::Tensor random_state;  // before the block ran; undefined if it draws nothing
};

class Checkpointed : public torch::autograd::Function<Checkpointed> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            at::TensorList parameters, const c10::intrusive_ptr<Recipe>& recipe) {
    std::vector<at::Tensor> kept = {x};
    kept.insert(kept.end(), parameters.begin(), parameters.end());
    context->save_for_backward(std::move(kept));
    context->saved_data["recipe"] = c10::IValue::make_capsule(recipe);
    return recipe->block(x);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto capsule = context->saved_data["recipe"].toCapsule();
    const auto& recipe = static_cast<const Recipe&>(*capsule);
    auto inputs = context->get_saved_variables();
    inputs[0] = inputs[0].detach().requires_grad_(context->needs_input_grad(0));
    at::Tensor output;
    {
      const at::AutoGradMode with_graph(true);
      const Autocast as_before(inputs[0].device().type(), recipe.precision);
      const ReplayedDraws same_draws(inputs[0].device(), recipe.random_state);
      output = recipe.block(inputs[0]);
    }
    return gradients_of(output, inputs, gradients[0]);
  }

 private:
  // For each of `inputs`, none where it needs none; and one more for the recipe.
  static torch::autograd::variable_list gradients_of(const at::Tensor& output,
                                                     const std::vector<at::Tensor>& inputs,
                                                     const at::Tensor& gradient) {
    torch::autograd::variable_list learning;
    std::copy_if(inputs.begin(), inputs.end(), std::back_inserter(learning),
                 [](const at::Tensor& input) { return input.requires_grad(); });
    auto found = torch::autograd::grad({output}, learning, {gradient});
    torch::autograd::variable_list result(inputs.size() + 1);
    auto next = found.begin();
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i].requires_grad()) result[i] = std::move(*next++);
    }
    return result;
  }
};

}  // namespace

at::Tensor run_checkpointed(const Block& block, const std::vector<at::Tensor>& parameters,
                            const at::Tensor& x, bool draws) {
  const bool learns = x.requires_grad() || std::any_of(parameters.begin(), parameters.end(),
                                                       [](const at::Tensor& t) { return t.requires_grad(); });
  if (!at::GradMode::is_enabled() || !learns) return block(x);
  const auto recipe = c10::make_intrusive<Recipe>(block, current_precision(x.device().type()),
                                                  draws ? random_state(x.device()) : at::Tensor());
  return Checkpointed::apply(x, at::TensorList(parameters), recipe);
}

}  // namespace actionclip
