// The kernel that normalises frames on an NVIDIA GPU, as the rest of the library calls it. Part of the builds
// that have nvcc (ACTIONCLIP_KERNELS).
#pragma once

#include "normalize_pixel.h"

struct CUstream_st;  // what a cudaStream_t points to

namespace actionclip::detail {

enum class PixelType { float32, float16, bfloat16 };

// Queues `task`, which writes `type`, on `stream` of the current GPU; its pointers are that GPU's. Frames and
// output begin anywhere (the output at a multiple of its type's size). Throws Error with the CUDA error's
// text if the kernel cannot start.
void launch_normalize_kernel(const NormalizeTask& task, PixelType type, CUstream_st* stream);

}  // namespace actionclip::detail
