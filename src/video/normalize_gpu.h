// normalize.cu for tensors of libtorch.
#pragma once

#include <span>

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include "normalize_pixel.h"

namespace actionclip::detail {

// Whether this build has the kernel.
bool has_normalize_kernel();

// Queues `task`, whose placements are still empty, with `placements` on the current stream of the GPU
// `device`, where its other pointers point to. Throws Error as launch_normalize_kernel, and if this build has
// no kernel.
void normalize_on_gpu(NormalizeTask task, std::span<const Placement> placements, at::ScalarType type,
                      c10::Device device);

}  // namespace actionclip::detail
