#include "actionclip/video/sampler.h"

#include <algorithm>

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

}  // namespace

std::vector<std::int64_t> sample_training_frames(std::int64_t n, std::int64_t T, RandomStream& random) {
  check_sampling(n, T);
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

std::vector<std::int64_t> sample_test_frames(std::int64_t n, std::int64_t T) {
  return sample_test_frames(n, T, 0, 1);
}

std::vector<std::int64_t> sample_test_frames(std::int64_t n, std::int64_t T, std::int64_t j, std::int64_t V) {
  check_sampling(n, T);
  if (V < 1 || j < 0 || j >= V) throw Error(fmt::format("cannot sample clip {} of {} of a video", j, V));
  if (T == 1 && V == 1) return {n / 2};
  std::vector<std::int64_t> frames(T);
  for (std::int64_t i = 0; i < T; ++i) {
    // The formula over its common denominator 2TV: exact, where floating point may fall just below a whole
    // number.
    frames[i] = n <= T ? i * n / T : (2 * i * n * V + (n - T) * (2 * j + 1)) / (2 * T * V);
  }
  return frames;
}

}  // namespace actionclip
