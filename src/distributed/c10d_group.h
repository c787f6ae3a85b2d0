// ProcessGroup on c10d, the engine of torch.distributed: NCCL for CUDA tensors, Gloo for CPU tensors.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include "actionclip/distributed/config.h"
#include "actionclip/distributed/process_group.h"

#include "communication_timer.h"
#include "heartbeat.h"

namespace actionclip {

struct RankPlace {
  int rank = 0;
  int world_size = 1;
  c10::Device device = c10::kCPU;  // of the tensors that are reduced; CPU tensors can always be
  std::string address;             // of this machine, as the others reach it; Gloo listens there
};

class C10dGroup : public ProcessGroup {
 public:
  // Meets the other ranks in `store`. Throws Error that names those that do not come in time.
  C10dGroup(c10::intrusive_ptr<c10d::Store> store, RankPlace place, const DistributedConfig& config);
  // Closes NCCL's communicators, unless a collective has failed: they could wait for ranks that are gone.
  ~C10dGroup() override;
  C10dGroup(const C10dGroup&) = delete;
  C10dGroup& operator=(const C10dGroup&) = delete;

  int rank() const override { return place_.rank; }
  int world_size() const override { return place_.world_size; }
  at::Tensor gather(const at::Tensor& rows) override;
  void all_reduce_sum(at::Tensor& values) override;
  void broadcast(at::TensorList tensors) override;
  std::vector<std::string> gather_texts(const std::string& text) override;
  std::unique_ptr<GradientReducer> make_reducer(const std::vector<at::Tensor>& parameters) override;
  void enter(const std::string& phase) override { phase_ = phase; }
  double communication_seconds() override { return timer_.seconds(); }

  // The collectives of gather() without a graph.
  at::Tensor all_gather_rows(const at::Tensor& rows);
  at::Tensor reduce_scatter_rows(const at::Tensor& rows);

  // Runs `collective`; what it throws becomes a CollectiveError that tells the whole story.
  void guard(const char* name, const std::function<void()>& collective);

  // Waits until the GPU is done with what was queued; nothing on the CPU. NCCL's collectives do not hold up
  // the host, so this is where one that hangs is noticed. To be called within guard(): throws after the
  // collective's time-out.
  void await_device() const;

  const c10::intrusive_ptr<c10d::ProcessGroup>& c10d() const { return group_; }
  CommunicationTimer& timer() { return timer_; }

 private:
  void meet();
  void timed(const char* name, const std::function<void()>& collective);  // guarded, too
  [[noreturn]] void fail(const char* name, const std::string& reason);
  std::string describe_silent_ranks();

  const RankPlace place_;
  const DistributedConfig config_;
  c10::intrusive_ptr<c10d::Store> store_;
  std::shared_ptr<Heartbeat> heartbeat_;
  c10::intrusive_ptr<c10d::ProcessGroup> group_;
  CommunicationTimer timer_;
  std::string phase_ = "start";
  bool lost_ = false;  // a collective has failed
};

}  // namespace actionclip
