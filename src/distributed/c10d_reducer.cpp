#include "c10d_reducer.h"

#include <algorithm>
#include <cstddef>

#include <torch/csrc/distributed/c10d/comm.hpp>

namespace actionclip {
namespace {

// 0: no limit.
std::size_t bytes_of(double mebibytes) {
  constexpr std::size_t kUnlimited = std::size_t{1} << 50;
  return mebibytes > 0 ? static_cast<std::size_t>(mebibytes * 1024 * 1024) : kUnlimited;
}

// Parameters that are reduced together: the last ones, whose gradients come first, in the first bucket.
std::vector<std::vector<std::size_t>> buckets_of(const std::vector<at::Tensor>& parameters,
                                                 const DistributedConfig& config) {
  const std::vector<std::size_t> limits = {bytes_of(config.first_bucket_size), bytes_of(config.bucket_size)};
  auto buckets = std::get<0>(c10d::compute_bucket_assignment_by_size(parameters, limits));
  std::reverse(buckets.begin(), buckets.end());
  return buckets;
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

C10dReducer::C10dReducer(C10dGroup& group, const std::vector<at::Tensor>& parameters,
                         const DistributedConfig& config)
    : group_(group),
      reducer_(std::make_unique<c10d::Reducer>(
          parameters, buckets_of(parameters, config), group.c10d(),
          std::vector<bool>(parameters.size(), false),
          static_cast<std::int64_t>(bytes_of(config.bucket_size)), /*find_unused_parameters=*/false,
          /*gradient_as_bucket_view=*/true, std::unordered_map<std::size_t, std::string>(),
          static_cast<std::int64_t>(bytes_of(config.first_bucket_size)),
          /*skip_all_reduce_unused_params=*/false, /*use_python_reducer=*/false,
          /*bucket_bytes_cap_list=*/std::vector<std::int64_t>())) {
  reducer_->register_comm_hook(std::make_unique<TimedMean>(&group));
}

void C10dReducer::backward(const at::Tensor& loss, bool last) {
  group_.guard("backward pass with the mean of the gradients", [&] {
    if (last) {
      reducer_->rebuild_buckets();  // once, after the first step: in the order in which gradients came
      reducer_->prepare_for_backward({loss});
    }
    loss.backward();
  });
  group_.timer().end();
}

}  // namespace actionclip
