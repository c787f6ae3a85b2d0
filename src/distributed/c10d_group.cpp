#include "c10d_group.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <future>
#include <thread>
#include <utility>

#include <ATen/Functions.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/comm.hpp>
#ifdef USE_C10D_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

#include "actionclip/core/error.h"

#include "c10d_compat.h"
#include "c10d_reducer.h"
#include "device_event.h"

namespace actionclip {
namespace {

constexpr std::size_t kBroadcastBuffer = 250u << 20;  // bytes that travel together, as in torch's DDP
constexpr auto kSearch = std::chrono::seconds(10);    // for the ranks that do not answer
// c10d's watchdog ends a process whose NCCL hangs, and names neither the step nor who is lost: it comes
// second.
constexpr auto kWatchdogDelay = std::chrono::seconds(60);

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

// The cause alone: c10d's messages carry stack traces below it, and Gloo's advice behind it.
std::string first_line(const std::string& text) {
  return text.substr(0, std::min(text.find('\n'), text.find(". This is typically")));
}

c10::intrusive_ptr<c10d::Backend> make_gloo(const c10::intrusive_ptr<c10d::Store>& store,
                                            const RankPlace& place, const DistributedConfig& config) {
  auto options = c10d::ProcessGroupGloo::Options::create(milliseconds(config.collective_timeout));
  options->devices.push_back(c10d::ProcessGroupGloo::createDeviceForHostname(place.address));
  return c10::make_intrusive<c10d::ProcessGroupGloo>(store, place.rank, place.world_size, options);
}

c10::intrusive_ptr<c10d::Backend> make_nccl([[maybe_unused]] const c10::intrusive_ptr<c10d::Store>& store,
                                            [[maybe_unused]] const RankPlace& place,
                                            [[maybe_unused]] const DistributedConfig& config) {
#ifdef USE_C10D_NCCL
  auto options = c10d::ProcessGroupNCCL::Options::create();
  options->timeout = milliseconds(config.collective_timeout) + kWatchdogDelay;
  return c10::make_intrusive<c10d::ProcessGroupNCCL>(store, place.rank, place.world_size, options);
#else
  throw Error("several ranks on GPUs need NCCL, which this program was built without (ACTIONCLIP_CUDA)");
#endif
}

// The group on its way from the forward to the backward pass; it outlives both.
struct GroupOfPass : torch::CustomClassHolder {
  explicit GroupOfPass(C10dGroup* group) : group(group) {}
  C10dGroup* group;
};

// The differentiable gather: all-gather forward, reduce-scatter backward.
class GatherRows : public torch::autograd::Function<GatherRows> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& rows,
                            C10dGroup* group) {
    context->saved_data["group"] = c10::IValue::make_capsule(c10::make_intrusive<GroupOfPass>(group));
    return group->all_gather_rows(rows);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto capsule = context->saved_data["group"].toCapsule();
    auto* group = static_cast<GroupOfPass*>(capsule.get())->group;
    return {group->reduce_scatter_rows(gradients[0]), at::Tensor()};
  }
};

}  // namespace

C10dGroup::C10dGroup(c10::intrusive_ptr<c10d::Store> store, RankPlace place, const DistributedConfig& config)
    : place_(std::move(place)), config_(config), store_(std::move(store)), timer_(place_.device) {
  store_->setTimeout(milliseconds(config.meeting_timeout));
  heartbeat_ = std::make_shared<Heartbeat>(store_, place_.rank, place_.world_size);
  meet();
  group_ = c10::make_intrusive<c10d::ProcessGroup>(store_, place_.rank, place_.world_size);
  guard("the set-up of Gloo", [&] {
    const auto own = c10::make_intrusive<c10d::PrefixStore>("gloo", store_);
    group_->setBackend(c10::kCPU, c10d::ProcessGroup::GLOO, make_gloo(own, place_, config_));
    group_->setDefaultBackend(c10d::ProcessGroup::GLOO);
  });
  if (!place_.device.is_cuda()) return;
  guard("the set-up of NCCL", [&] {
    const auto own = c10::make_intrusive<c10d::PrefixStore>("nccl", store_);
    group_->setBackend(c10::kCUDA, c10d::ProcessGroup::NCCL, make_nccl(own, place_, config_));
    group_->setDefaultBackend(c10d::ProcessGroup::NCCL);
  });
}

C10dGroup::~C10dGroup() {
  if (lost_ || !place_.device.is_cuda()) return;
  try {
    group_->shutdown();
  } catch (const std::exception& problem) {
    spdlog::warn("rank {}: NCCL was not closed: {}", place_.rank, first_line(problem.what()));
  }
}

// Every rank leaves a key and waits for those of all.
void C10dGroup::meet() {
  const auto key = [](int rank) { return fmt::format("here/{}", rank); };
  std::vector<std::string> keys;
  for (int rank = 0; rank < place_.world_size; ++rank) keys.push_back(key(rank));
  store_->set(key(place_.rank), std::string("1"));
  try {
    store_->wait(keys, milliseconds(config_.meeting_timeout));
  } catch (const std::exception&) {
    std::vector<int> absent;
    for (int rank = 0; rank < place_.world_size; ++rank) {
      if (!store_->check({key(rank)})) absent.push_back(rank);
    }
    throw Error(fmt::format("rank {} of {}: rank {} did not come within {} s (distributed.meeting_timeout)",
                            place_.rank, place_.world_size, fmt::join(absent, ", "),
                            config_.meeting_timeout));
  }
}

at::Tensor C10dGroup::gather(const at::Tensor& rows) { return GatherRows::apply(rows, this); }

at::Tensor C10dGroup::all_gather_rows(const at::Tensor& rows) {
  auto shape = rows.sizes().vec();
  shape.at(0) *= place_.world_size;
  auto input = rows.detach().contiguous();
  auto output = at::empty(shape, input.options());
  timed("gather of the features", [&] { c10d_compat::all_gather(*group_, output, input, {})->wait(); });
  return output;
}

at::Tensor C10dGroup::reduce_scatter_rows(const at::Tensor& rows) {
  auto shape = rows.sizes().vec();
  shape.at(0) /= place_.world_size;
  auto input = rows.contiguous();
  auto output = at::empty(shape, input.options());
  timed("reduce-scatter of the features' gradients",
        [&] { c10d_compat::reduce_scatter(*group_, output, input, {})->wait(); });
  return output;
}

void C10dGroup::all_reduce_sum(at::Tensor& values) {
  std::vector<at::Tensor> tensors = {values};
  timed("sum over the ranks", [&] { group_->allreduce(tensors)->wait(); });
}

void C10dGroup::broadcast(at::TensorList tensors) {
  timed("broadcast of the parameters", [&] { c10d::broadcast_coalesced(group_, tensors, kBroadcastBuffer); });
}

std::vector<std::string> C10dGroup::gather_texts(const std::string& text) {
  std::vector<at::Tensor> sizes(1, at::empty({place_.world_size}, at::kLong));
  auto size = at::full({1}, static_cast<std::int64_t>(text.size()), at::kLong);
  guard("gather of texts", [&] { c10d_compat::all_gather(*group_, sizes[0], size, {})->wait(); });
  const auto longest =
      std::max<std::int64_t>(1, sizes[0].max().item<std::int64_t>());  // an empty tensor cannot travel
  auto own = at::zeros({longest}, at::kByte);
  std::memcpy(own.mutable_data_ptr(), text.data(), text.size());
  auto all = at::empty({place_.world_size * longest}, at::kByte);
  guard("gather of texts", [&] { c10d_compat::all_gather(*group_, all, own, {})->wait(); });
  std::vector<std::string> texts;
  const auto* bytes = static_cast<const char*>(all.const_data_ptr());
  for (int rank = 0; rank < place_.world_size; ++rank) {
    const auto length = sizes[0][rank].item<std::int64_t>();
    texts.emplace_back(bytes + rank * longest, static_cast<std::size_t>(length));
  }
  return texts;
}

std::unique_ptr<GradientReducer> C10dGroup::make_reducer(const std::vector<at::Tensor>& parameters) {
  return std::make_unique<C10dReducer>(*this, parameters, config_);
}

void C10dGroup::guard(const char* name, const std::function<void()>& collective) {
  try {
    collective();
  } catch (const CollectiveError&) {
    throw;
  } catch (const c10::Error& problem) {
    fail(name, first_line(problem.what_without_backtrace()));
  } catch (const std::exception& problem) {
    fail(name, first_line(problem.what()));
  }
}

void C10dGroup::await_device() const {
  if (place_.device.is_cpu()) return;
  constexpr auto kPoll = std::chrono::microseconds(50);
  const auto done = record_event(place_.device, c10::EventFlag::PYTORCH_DEFAULT);
  const auto deadline = std::chrono::steady_clock::now() + milliseconds(config_.collective_timeout);
  while (!done.query()) {
    if (std::chrono::steady_clock::now() > deadline) {
      throw Error(fmt::format("the GPU was not done within {} s (distributed.collective_timeout)",
                              config_.collective_timeout));
    }
    std::this_thread::sleep_for(kPoll);
  }
}

void C10dGroup::timed(const char* name, const std::function<void()>& collective) {
  timer_.begin();
  guard(name, collective);
  timer_.end();
}

void C10dGroup::fail(const char* name, const std::string& reason) {
  lost_ = true;
  throw CollectiveError(fmt::format("rank {} of {}, {}: {} failed: {}; {}", place_.rank, place_.world_size,
                                    phase_, name, reason, describe_silent_ranks()));
}

// In a thread that is given up if the store does not answer, as when the process that holds it is stopped.
std::string C10dGroup::describe_silent_ranks() {
  std::packaged_task<std::vector<int>()> search([heartbeat = heartbeat_] {
    auto silent = heartbeat->silent_ranks();
    heartbeat->leave();
    return silent;
  });
  auto found = search.get_future();
  std::thread(std::move(search)).detach();
  if (found.wait_for(kSearch) != std::future_status::ready)
    return "the process that holds the store (rank 0, or the launcher) does not answer";
  try {
    const auto silent = found.get();
    if (silent.empty())
      return "all ranks are alive, so one of them is late: see distributed.collective_timeout";
    return fmt::format("no longer answering: rank {}", fmt::join(silent, ", "));
  } catch (const std::exception&) {
    return "the process that holds the store (rank 0, or the launcher) is gone";
  }
}

}  // namespace actionclip
