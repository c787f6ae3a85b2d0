// See normalize_kernel.h.
#include <algorithm>
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime_api.h>
#include <string>

#include "actionclip/core/error.h"

#include "normalize_kernel.h"

namespace actionclip::detail {
namespace {

constexpr int kThreads = 256;  // of a block: one an entry of the table
static_assert(kThreads == kByteValues);

// Blocks a multiprocessor, all waves together: enough to fill it, few enough that a table serves many rows.
constexpr int kBlocksEach = 16;

template <typename T>
__device__ T rounded(float value);
template <>
__device__ inline float rounded<float>(float value) {
  return value;
}
template <>
__device__ inline __half rounded<__half>(float value) {
  return __float2half_rn(value);
}
template <>
__device__ inline __nv_bfloat16 rounded<__nv_bfloat16>(float value) {
  return __float2bfloat16_rn(value);
}

// Blocks along x share the rows of a frame, those along y the frames; z is the channel. The threads along x
// share a row: a warp writes 512 consecutive bytes at a time, and reads the 128 or 256 that these come from.
template <typename T>
__global__ void __launch_bounds__(kThreads) normalize_kernel(const __grid_constant__ NormalizeTask task) {
  __shared__ T values[kByteValues];
  const int channel = static_cast<int>(blockIdx.z);
  const int thread = static_cast<int>(threadIdx.y * blockDim.x + threadIdx.x);
  values[thread] = rounded<T>(normalized(thread, task.mean[channel], task.std[channel]));
  __syncthreads();

  const auto first_y = static_cast<std::int32_t>(blockIdx.x * blockDim.y + threadIdx.y);
  const auto rows = static_cast<std::int32_t>(gridDim.x * blockDim.y);
  for (auto frame = static_cast<std::int32_t>(blockIdx.y); frame < task.count; frame += gridDim.y) {
    const Placement place = placement_of(task, frame);
    for (std::int32_t y = first_y; y < task.out_height; y += rows) {
      const auto row = pixel_row(task, values, place, frame, channel, y);
      const std::int32_t groups = count_groups(row);
      for (auto group = static_cast<std::int32_t>(threadIdx.x); group < groups; group += blockDim.x)
        write_group(row, group);
    }
  }
}

void require(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  throw Error(std::string("normalising frames on the GPU: ") + what + ": " + cudaGetErrorString(status));
}

int count_multiprocessors() {
  int device = 0, count = 0;
  require(cudaGetDevice(&device), "no current device");
  require(cudaDeviceGetAttribute(&count, cudaDevAttrMultiProcessorCount, device),
          "the device does not answer");
  return count;
}

template <typename T>
void launch(const NormalizeTask& task, cudaStream_t stream) {
  // As many threads a row as it has groups, rounded up to a power of two from a warp on.
  const std::int64_t groups = (static_cast<std::int64_t>(task.out_width) + 2 * kGroup<T> - 2) / kGroup<T>;
  unsigned across = 32;
  while (across < groups && across < kThreads) across *= 2;
  const dim3 block(across, kThreads / across);

  const std::int64_t most = static_cast<std::int64_t>(count_multiprocessors()) * kBlocksEach / kChannels;
  const std::int64_t along_rows = std::min<std::int64_t>((task.out_height + block.y - 1) / block.y, most);
  const std::int64_t limit = 65535;  // of CUDA, for blocks along y
  const std::int64_t along_frames =
      std::clamp<std::int64_t>(most / along_rows, 1, std::min<std::int64_t>(task.count, limit));
  const dim3 grid(static_cast<unsigned>(along_rows), static_cast<unsigned>(along_frames), kChannels);
  normalize_kernel<T><<<grid, block, 0, stream>>>(task);
  require(cudaGetLastError(), "the kernel did not start");
}

}  // namespace

void launch_normalize_kernel(const NormalizeTask& task, PixelType type, CUstream_st* stream) {
  if (task.count == 0 || task.out_height == 0 || task.out_width == 0) return;
  switch (type) {
    case PixelType::float32:
      return launch<float>(task, stream);
    case PixelType::float16:
      return launch<__half>(task, stream);
    case PixelType::bfloat16:
      return launch<__nv_bfloat16>(task, stream);
  }
  throw Error("normalising frames on the GPU: unknown type of pixel");
}

}  // namespace actionclip::detail
