// What differs between the versions of c10d that this project builds with (2.11 and 2.15), in one place.
#pragma once

#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <torch/version.h>

namespace actionclip::c10d_compat {

#define ACTIONCLIP_C10D_SINGLE \
  (TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 15))

// The rows of all ranks, in rank order, into `output`.
inline c10::intrusive_ptr<c10d::Work> all_gather(c10d::ProcessGroup& group, at::Tensor& output,
                                                 at::Tensor& input, const c10d::AllgatherOptions& options) {
#if ACTIONCLIP_C10D_SINGLE
  return group.all_gather_single(output, input, options);
#else
  return group._allgather_base(output, input, options);
#endif
}

// This rank's part of the sum of all inputs into `output`.
inline c10::intrusive_ptr<c10d::Work> reduce_scatter(c10d::ProcessGroup& group, at::Tensor& output,
                                                     at::Tensor& input,
                                                     const c10d::ReduceScatterOptions& options) {
#if ACTIONCLIP_C10D_SINGLE
  return group.reduce_scatter_single(output, input, options);
#else
  return group._reduce_scatter_base(output, input, options);
#endif
}

#undef ACTIONCLIP_C10D_SINGLE

}  // namespace actionclip::c10d_compat
