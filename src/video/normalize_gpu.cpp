#include "normalize_gpu.h"

#include "actionclip/core/error.h"

#ifdef ACTIONCLIP_KERNELS
#include <ATen/ops/from_blob.h>
#include <c10/core/DeviceGuard.h>
#include <c10/cuda/CUDAStream.h>

#include "normalize_kernel.h"
#endif

namespace actionclip::detail {

#ifdef ACTIONCLIP_KERNELS
namespace {

PixelType pixel_type(at::ScalarType type) {
  if (type == at::kHalf) return PixelType::float16;
  return type == at::kBFloat16 ? PixelType::bfloat16 : PixelType::float32;
}

at::Tensor copy_to(c10::Device device, std::span<const Placement> placements) {
  auto* bytes = const_cast<Placement*>(placements.data());
  return at::from_blob(bytes, {static_cast<std::int64_t>(placements.size_bytes())}, at::kByte)
      .to(device, /*non_blocking=*/true);
}

}  // namespace

bool has_normalize_kernel() { return true; }

void normalize_on_gpu(NormalizeTask task, std::span<const Placement> placements, at::ScalarType type,
                      c10::Device device) {
  const c10::DeviceGuard guard(device);
  at::Tensor copied;  // freed while the kernel may still wait: later uses of its memory queue behind it
  if (!placements.empty()) {
    copied = copy_to(device, placements);
    task.placements = static_cast<const Placement*>(copied.const_data_ptr());
  }
  launch_normalize_kernel(task, pixel_type(type), c10::cuda::getCurrentCUDAStream(device.index()).stream());
}
#else
bool has_normalize_kernel() { return false; }

void normalize_on_gpu(NormalizeTask /*task*/, std::span<const Placement> /*placements*/,
                      at::ScalarType /*type*/, c10::Device /*device*/) {
  throw Error("normalising frames: this build has no kernel for it");
}
#endif

}  // namespace actionclip::detail
