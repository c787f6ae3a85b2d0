#include "actionclip/video/normalize.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include <ATen/TensorIterator.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>
#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>
#include <fmt/format.h>

#include "actionclip/core/error.h"

#include "normalize_gpu.h"
#include "normalize_pixel.h"

namespace actionclip {
namespace {

using detail::NormalizeTask;
using detail::Placement;

std::string shape_of(const at::Tensor& tensor) {
  return fmt::format("[{}]", fmt::join(tensor.sizes(), ", "));
}

void require_frames(const at::Tensor& frames) {
  if (frames.scalar_type() != at::kByte || frames.dim() != 4 || frames.size(1) != detail::kChannels)
    throw Error(fmt::format("normalising frames: {} of shape {} given, uint8 [N, 3, H, W] needed",
                            c10::toString(frames.scalar_type()), shape_of(frames)));
  for (const std::int64_t size : {frames.size(0), frames.size(2), frames.size(3)}) {
    if (size > detail::kMostOfASide)
      throw Error(
          fmt::format("normalising frames: of shape {}, but {} is the most in one call for frames, "
                      "height and width each: divide the batch",
                      shape_of(frames), detail::kMostOfASide));
  }
}

void require_statistics(const ChannelStatistics& statistics) {
  const auto finite = [](float value) { return std::isfinite(value); };
  const auto& [mean, std] = statistics;
  if (!std::ranges::all_of(mean, finite) || !std::ranges::all_of(std, finite) ||
      !std::ranges::all_of(std, [](float value) { return value > 0; }))
    throw Error(
        fmt::format("normalising frames: mean {} and std {} given, finite numbers and std above 0 needed",
                    fmt::join(mean, ", "), fmt::join(std, ", ")));
}

void require_crops(const at::Tensor& frames, const std::vector<CropChoice>& crops) {
  const auto frame_count = static_cast<std::size_t>(frames.size(0));
  if (crops.empty()) return;
  if (frame_count % crops.size() != 0)
    throw Error(
        fmt::format("normalising frames: {} crops given for {} frames, a number that divides them needed",
                    crops.size(), frame_count));
  const std::int64_t height = frames.size(2), width = frames.size(3);
  for (const auto& crop : crops) {
    const auto& first = crops.front();
    const bool inside = crop.x >= 0 && crop.y >= 0 && crop.width >= 0 && crop.height >= 0 &&
                        crop.width <= width && crop.height <= height && crop.x <= width - crop.width &&
                        crop.y <= height - crop.height;
    if (inside && crop.width == first.width && crop.height == first.height) continue;
    throw Error(
        fmt::format("normalising frames: the crop of {} x {} pixels at ({}, {}) {}", crop.width, crop.height,
                    crop.x, crop.y,
                    inside ? fmt::format("has not the size of the first, {} x {}", first.width, first.height)
                           : fmt::format("is not inside the frame of {} x {}", width, height)));
  }
}

std::vector<std::int64_t> output_shape(const at::Tensor& frames, const NormalizeOptions& options) {
  if (options.crops.empty()) return frames.sizes().vec();
  const auto& crop = options.crops.front();
  return {frames.size(0), detail::kChannels, crop.height, crop.width};
}

void require_output(const at::Tensor& out, const at::Tensor& frames, const NormalizeOptions& options) {
  const auto type = out.scalar_type();
  if (type != options.type || (type != at::kFloat && type != at::kHalf && type != at::kBFloat16))
    throw Error(
        fmt::format("normalising frames: into {} where {} was asked for; float32, float16 and bfloat16 "
                    "can be written",
                    c10::toString(type), c10::toString(options.type)));
  const auto shape = output_shape(frames, options);
  if (out.sizes() != shape || !out.is_contiguous() || out.device() != frames.device())
    throw Error(
        fmt::format("normalising frames: the output of shape {} on {} is not contiguous, of shape [{}] "
                    "and on {}, where the frames are",
                    shape_of(out), out.device().str(), fmt::join(shape, ", "), frames.device().str()));
}

std::vector<Placement> placements_of(const std::vector<CropChoice>& crops) {
  std::vector<Placement> placements;
  placements.reserve(crops.size());
  for (const auto& crop : crops)
    placements.push_back({.x = static_cast<std::int32_t>(crop.x),
                          .y = static_cast<std::int32_t>(crop.y),
                          .mirrored = crop.flip ? 1 : 0});
  return placements;
}

// All but the placements.
NormalizeTask make_task(const at::Tensor& out, const at::Tensor& frames, const ChannelStatistics& statistics,
                        std::size_t placements) {
  NormalizeTask task;
  task.frames = frames.const_data_ptr<std::uint8_t>();
  task.out = out.mutable_data_ptr();
  task.count = static_cast<std::int32_t>(frames.size(0));
  task.height = static_cast<std::int32_t>(frames.size(2));
  task.width = static_cast<std::int32_t>(frames.size(3));
  task.out_height = static_cast<std::int32_t>(out.size(2));
  task.out_width = static_cast<std::int32_t>(out.size(3));
  if (placements > 0) task.frames_each = task.count / static_cast<std::int32_t>(placements);
  std::ranges::copy(statistics.mean, task.mean);
  std::ranges::copy(statistics.std, task.std);
  return task;
}

// Calls work(plane) for the planes 0 to count - 1 on libtorch's threads. at::parallel_for would use one: it
// is a template, and this file is compiled without OpenMP, of which a process should have one only.
void for_each_plane(std::int64_t count, std::int64_t planes_a_thread,
                    const std::function<void(std::int64_t)>& work) {
  const auto planes = at::arange(count, at::kLong);
  auto iterator = at::TensorIteratorConfig().add_owned_const_input(planes).build();
  const auto work_on_all = [&](char** data, const std::int64_t* strides, std::int64_t columns,
                               std::int64_t rows) {
    for (std::int64_t row = 0; row < rows; ++row)
      for (std::int64_t column = 0; column < columns; ++column)
        work(*reinterpret_cast<const std::int64_t*>(data[0] + row * strides[1] + column * strides[0]));
  };
  iterator.for_each(work_on_all, planes_a_thread);
}

template <typename T>
void normalize_on_cpu(const NormalizeTask& task) {
  std::array<std::array<T, detail::kByteValues>, detail::kChannels> values;
  for (int channel = 0; channel < detail::kChannels; ++channel)
    for (int byte = 0; byte < detail::kByteValues; ++byte)
      values[channel][byte] = detail::normalized(byte, task.mean[channel], task.std[channel]);
  const std::int64_t pixels = static_cast<std::int64_t>(task.out_height) * task.out_width;
  const std::int64_t planes_a_thread = std::max<std::int64_t>(at::internal::GRAIN_SIZE / pixels, 1);
  for_each_plane(
      static_cast<std::int64_t>(task.count) * detail::kChannels, planes_a_thread, [&](std::int64_t plane) {
        const auto frame = static_cast<std::int32_t>(plane / detail::kChannels);
        const auto channel = static_cast<int>(plane % detail::kChannels);
        const Placement place = placement_of(task, frame);
        for (std::int32_t y = 0; y < task.out_height; ++y) {
          const auto row = detail::pixel_row(task, values[channel].data(), place, frame, channel, y);
          const std::int32_t groups = count_groups(row);
          for (std::int32_t group = 0; group < groups; ++group) write_group(row, group);
        }
      });
}

void normalize_on_cpu(NormalizeTask task, std::span<const Placement> placements, at::ScalarType type) {
  if (!placements.empty()) task.placements = placements.data();
  if (type == at::kFloat) return normalize_on_cpu<float>(task);
  if (type == at::kHalf) return normalize_on_cpu<c10::Half>(task);
  normalize_on_cpu<c10::BFloat16>(task);
}

// Where there is neither the loop nor the kernel. Divided by tensors of the device: libtorch multiplies by
// the inverse of a number instead, which is rounded otherwise.
void normalize_by_operations(const at::Tensor& out, const at::Tensor& frames,
                             const ChannelStatistics& statistics, const std::vector<CropChoice>& crops) {
  const at::NoGradGuard no_grad;
  const auto constant = [&](at::ArrayRef<float> values) {
    return at::tensor(values, at::kFloat).view({1, -1, 1, 1}).to(frames.device());
  };
  const auto scale = constant({255}), mean = constant(statistics.mean), std = constant(statistics.std);
  const auto write = [&](const at::Tensor& to, const at::Tensor& from) {
    to.copy_(from.to(at::kFloat).div_(scale).sub_(mean).div_(std));
  };
  if (crops.empty()) return write(out, frames);
  const std::int64_t each = frames.size(0) / static_cast<std::int64_t>(crops.size());
  for (std::size_t i = 0; i < crops.size(); ++i) {
    const auto& crop = crops[i];
    const auto first = static_cast<std::int64_t>(i) * each;
    const auto part =
        frames.narrow(0, first, each).narrow(2, crop.y, crop.height).narrow(3, crop.x, crop.width);
    write(out.narrow(0, first, each), crop.flip ? part.flip(3) : part);
  }
}

}  // namespace

at::Tensor normalize_frames(const at::Tensor& frames, const ChannelStatistics& statistics,
                            const NormalizeOptions& options) {
  require_frames(frames);
  require_crops(frames, options.crops);
  const auto out = at::empty(output_shape(frames, options), frames.options().dtype(options.type));
  normalize_frames_into(out, frames, statistics, options);
  return out;
}

void normalize_frames_into(const at::Tensor& out, const at::Tensor& frames,
                           const ChannelStatistics& statistics, const NormalizeOptions& options) {
  require_frames(frames);
  require_statistics(statistics);
  require_crops(frames, options.crops);
  require_output(out, frames, options);
  if (out.numel() == 0) return;
  const bool on_gpu = frames.is_cuda() && detail::has_normalize_kernel();
  if (!on_gpu && !frames.is_cpu()) return normalize_by_operations(out, frames, statistics, options.crops);
  const auto bytes = frames.contiguous();
  const auto placements = placements_of(options.crops);
  const auto task = make_task(out, bytes, statistics, placements.size());
  if (on_gpu) return detail::normalize_on_gpu(task, placements, options.type, frames.device());
  normalize_on_cpu(task, placements, options.type);
}

}  // namespace actionclip
