#include "step_phase.h"

#include <torch/csrc/profiler/stubs/base.h>

namespace actionclip {
namespace {

// libtorch's own door to NVTX, closed where its CUDA part is not loaded.
const torch::profiler::impl::ProfilerStubs* nvtx() {
  const auto* stubs = torch::profiler::impl::cudaStubs();
  return stubs->enabled() ? stubs : nullptr;
}

}  // namespace

StepPhase::StepPhase(const char* name) : record_(at::RecordScope::USER_SCOPE) {
  if (record_.isActive()) record_.before(name);
  if (const auto* stubs = nvtx()) stubs->rangePush(name);
}

StepPhase::~StepPhase() {
  if (const auto* stubs = nvtx()) stubs->rangePop();
}

}  // namespace actionclip
