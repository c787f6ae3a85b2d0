#include "c10d_reducer.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>

#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/variable.h>
#include <torch/csrc/distributed/c10d/comm.hpp>

namespace actionclip {
namespace {

// 0: no limit.
std::size_t bytes_of(double mebibytes) {
  constexpr std::size_t kUnlimited = std::size_t{1} << 50;
  return mebibytes > 0 ? static_cast<std::size_t>(mebibytes * 1024 * 1024) : kUnlimited;
}

// The parameters in the order in which the backward pass of `loss` brings their gradients. Autograd runs the
// newest operation first, so a gradient is whole once the oldest operation that uses its parameter has run.
std::vector<at::Tensor> in_order_of_gradients(std::vector<at::Tensor> parameters, const at::Tensor& loss) {
  using torch::autograd::Node;
  std::unordered_map<const Node*, std::uint64_t> oldest_use;
  std::vector<const Node*> open = {loss.grad_fn().get()};
  while (!open.empty()) {
    const Node* user = open.back();
    open.pop_back();
    for (const auto& edge : user->next_edges()) {
      if (!edge.function) continue;
      const auto [use, is_new] = oldest_use.try_emplace(edge.function.get(), user->sequence_nr());
      use->second = std::min(use->second, user->sequence_nr());
      if (is_new) open.push_back(edge.function.get());
    }
  }
  const auto use_of = [&](const at::Tensor& parameter) {
    const auto found = oldest_use.find(torch::autograd::impl::grad_accumulator(parameter).get());
    return found == oldest_use.end() ? 0 : found->second;
  };
  std::stable_sort(parameters.begin(), parameters.end(),
                   [&](const auto& a, const auto& b) { return use_of(a) > use_of(b); });
  return parameters;
}

// The mean over the ranks, as c10d takes it by itself, with the time of it. All gradients are there when the
// last bucket sets off, so that what follows is what the backward pass does not hide.
class TimedMean : public c10d::CppCommHookInterface<C10dGroup*> {
 public:
  using CppCommHookInterface::CppCommHookInterface;

  c10::intrusive_ptr<c10::ivalue::Future> runHook(c10d::GradBucket& bucket) override {
    if (bucket.isLast()) state_->timer().begin();
    std::vector<at::Tensor> gradients = {bucket.getBufferRef().div_(state_->world_size())};
    return state_->c10d()->allreduce(gradients)->getFuture();
  }
};

}  // namespace

C10dReducer::C10dReducer(C10dGroup& group, std::vector<at::Tensor> parameters,
                         const DistributedConfig& config)
    : group_(group), parameters_(std::move(parameters)), config_(config) {}

void C10dReducer::backward(const at::Tensor& loss, bool last) {
  group_.guard("backward pass with the mean of the gradients", [&] {
    if (!reducer_) make_buckets(loss);
    if (last) reducer_->prepare_for_backward({loss});
    loss.backward();
    group_.timer().end();
    if (last) group_.await_device();
  });
}

// DistributedDataParallel finds the order of the gradients in its first step, and makes other buckets for the
// second. The order in which a sum over more than two ranks is taken depends on the buckets, so a run that is
// resumed would round otherwise in its first step than one that went straight on. Here they stay as they are.
void C10dReducer::make_buckets(const at::Tensor& loss) {
  const auto parameters = in_order_of_gradients(parameters_, loss);
  const auto first_limit = bytes_of(config_.first_bucket_size), limit = bytes_of(config_.bucket_size);
  reducer_ = std::make_unique<c10d::Reducer>(
      parameters, std::get<0>(c10d::compute_bucket_assignment_by_size(parameters, {first_limit, limit})),
      group_.c10d(), std::vector<bool>(parameters.size(), false), static_cast<std::int64_t>(limit),
      /*find_unused_parameters=*/false, /*gradient_as_bucket_view=*/true,
      std::unordered_map<std::size_t, std::string>(), static_cast<std::int64_t>(first_limit),
      /*skip_all_reduce_unused_params=*/false, /*use_python_reducer=*/false,
      /*bucket_bytes_cap_list=*/std::vector<std::int64_t>());
  reducer_->register_comm_hook(std::make_unique<TimedMean>(&group_));
  // It rebuilds its buckets once in its life: now, into the same.
  reducer_->push_rebuilt_params_for_all_indices();
  reducer_->rebuild_buckets();
}

}  // namespace actionclip
