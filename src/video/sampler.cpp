#include "actionclip/video/sampler.h"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

#include "actionclip/core/error.h"

namespace actionclip {
namespace {

void check_sampling(std::int64_t n, std::int64_t T) {
  if (n < 1) throw Error(fmt::format("cannot sample frames: the video has {}", n));
  if (n > kMaxFrameCount) {
    throw Error(
        fmt::format("cannot sample frames: a video of {} frames is longer than {}", n, kMaxFrameCount));
  }
  if (T < 1) throw Error(fmt::format("cannot sample {} frames: a clip has at least one", T));
}

std::vector<std::int64_t> draw_from_segments(std::int64_t n, std::int64_t T, RandomStream& random) {
  std::vector<std::int64_t> frames(T);
  if (n <= T) {
    for (std::int64_t i = 0; i < T; ++i) frames[i] = i < n ? i : random.below(n);
    std::sort(frames.begin(), frames.end());
    return frames;
  }
  for (std::int64_t i = 0; i < T; ++i) {
    const auto begin = i * n / T;
    const auto end = (i + 1) * n / T;
    frames[i] = begin + random.below(end - begin);
  }
  return frames;
}

std::vector<std::int64_t> within_segments(std::int64_t n, std::int64_t T, std::int64_t j, std::int64_t V) {
  if (T == 1 && V == 1) return {n / 2};
  std::vector<std::int64_t> frames(T);
  for (std::int64_t i = 0; i < T; ++i) {
    // The formula over its common denominator 2TV: exact, where floating point may fall just below a whole
    // number.
    frames[i] = n <= T ? i * n / T : (2 * i * n * V + (n - T) * (2 * j + 1)) / (2 * T * V);
  }
  return frames;
}

// Places where a dense clip could start, less one.
std::int64_t dense_room(std::int64_t n, std::int64_t T, std::int64_t stride) {
  return std::max<std::int64_t>(0, n - ((T - 1) * stride + 1));
}

std::vector<std::int64_t> dense_from(std::int64_t start, std::int64_t n, std::int64_t T,
                                     std::int64_t stride) {
  std::vector<std::int64_t> frames(T);
  for (std::int64_t i = 0; i < T; ++i) frames[i] = std::min(start + i * stride, n - 1);
  return frames;
}

// Where clip j of V starts.
std::int64_t dense_start(std::int64_t room, std::int64_t j, std::int64_t V) {
  if (V == 1) return room / 2;
  const auto [whole, rest] = std::lldiv(j * room, V - 1);
  const bool up = 2 * rest > V - 1 || (2 * rest == V - 1 && whole % 2 == 1);
  return whole + (up ? 1 : 0);
}

std::vector<std::int64_t> uniform_frames(std::int64_t n, std::int64_t T, std::int64_t j, std::int64_t V) {
  if (T == 1 && V == 1) return {n / 2};
  std::vector<std::int64_t> frames(T);
  for (std::int64_t i = 0; i < T; ++i) frames[i] = (i * V + j) * (n - 1) / (T * V - 1);
  return frames;
}

}  // namespace

std::vector<std::int64_t> sample_training_frames(std::int64_t n, std::int64_t T,
                                                 const SamplingConfig& sampling, RandomStream& random) {
  check_sampling(n, T);
  switch (sampling.strategy) {
    case FrameSampling::segment:
      return draw_from_segments(n, T, random);
    case FrameSampling::dense: {
      const auto start = random.below(dense_room(n, T, sampling.stride) + 1);
      return dense_from(start, n, T, sampling.stride);
    }
    case FrameSampling::uniform:
      return uniform_frames(n, T, 0, 1);
  }
  throw Error("unknown strategy of sampling frames");
}

std::vector<std::int64_t> sample_test_frames(std::int64_t n, std::int64_t T, std::int64_t j, std::int64_t V,
                                             const SamplingConfig& sampling) {
  check_sampling(n, T);
  if (V < 1 || j < 0 || j >= V) throw Error(fmt::format("cannot sample clip {} of {} of a video", j, V));
  switch (sampling.strategy) {
    case FrameSampling::segment:
      return within_segments(n, T, j, V);
    case FrameSampling::dense:
      return dense_from(dense_start(dense_room(n, T, sampling.stride), j, V), n, T, sampling.stride);
    case FrameSampling::uniform:
      return uniform_frames(n, T, j, V);
  }
  throw Error("unknown strategy of sampling frames");
}

}  // namespace actionclip
