#include "step_profiler.h"

#include <algorithm>
#include <set>
#include <utility>

#include <spdlog/spdlog.h>
#include <torch/csrc/autograd/profiler_kineto.h>

#include "actionclip/core/atomic_file.h"

namespace actionclip {

namespace kineto = torch::autograd::profiler;

StepProfiler::StepProfiler(std::int64_t steps, std::filesystem::path file, bool on_gpu)
    : steps_(steps), file_(std::move(file)), on_gpu_(on_gpu) {}

StepProfiler::~StepProfiler() {
  if (recording_) kineto::disableProfiler();
}

void StepProfiler::next_step() {
  if (steps_ == 0) return;
  if (taken_ == kWarmUp) start();
  if (taken_ == kWarmUp + steps_) finish();
  ++taken_;
}

void StepProfiler::start() {
  std::set<torch::profiler::impl::ActivityType> activities = {torch::profiler::impl::ActivityType::CPU};
  if (on_gpu_) activities.insert(torch::profiler::impl::ActivityType::CUDA);
  const torch::profiler::impl::ProfilerConfig config(torch::profiler::impl::ProfilerState::KINETO);
  kineto::prepareProfiler(config, activities);
  kineto::enableProfiler(config, activities);
  recording_ = true;
}

void StepProfiler::finish() {
  if (steps_ > 0 && taken_ <= kWarmUp)
    spdlog::warn("no profile: only {} step(s) were taken, and the first {} are not recorded", taken_,
                 kWarmUp);
  if (!std::exchange(recording_, false)) return;
  const auto result = kineto::disableProfiler();
  std::filesystem::create_directories(file_.parent_path());  // of a rank on another machine
  const auto temporary = temporary_sibling(file_);
  result->save(temporary.string());
  rename_durably(temporary, file_);
  spdlog::info("profile of {} step(s): {} (open it in ui.perfetto.dev)", std::min(steps_, taken_ - kWarmUp),
               file_.string());
}

}  // namespace actionclip
