// Which frames of a video a clip shows. Torch-free. n frames, T segments; indices from 0, in increasing
// order, repeated where n < T.
#pragma once

#include <cstdint>
#include <vector>

#include "actionclip/core/random.h"

namespace actionclip {

// The most frames a video may have (two years of them): more is a mistake in a list or a container. It keeps
// the integer arithmetic below far from overflow for the clip lengths (4096) and views (1000) that the
// settings allow.
inline constexpr std::int64_t kMaxFrameCount = std::int64_t{1} << 31;

// Training (the paper's section 3.3, sparse sampling as in TSN). n > T: segment i covers the frames [i*n/T,
// (i+1)*n/T) in integer arithmetic and one of them is drawn uniformly. n <= T: every frame, and T - n random
// repeats. Throws Error if n < 1, n > kMaxFrameCount or T < 1.
std::vector<std::int64_t> sample_training_frames(std::int64_t n, std::int64_t T, RandomStream& random);

// Test: frame i is floor(i*n/T + (n/T - 1)/2), the middle of segment i; the middle frame n/2 if T = 1; i*n/T
// if n <= T. Throws Error if n < 1, n > kMaxFrameCount or T < 1.
std::vector<std::int64_t> sample_test_frames(std::int64_t n, std::int64_t T);

// Clip j of the V clips of a multi-view test: frame i is floor(i*n/T + (n/T - 1)(j + 1/2)/V), so that the
// clips divide a segment evenly; i*n/T for every j if n <= T. V = 1 is the test sampling above. Throws Error
// unless n, T, V >= 1, n <= kMaxFrameCount and 0 <= j < V.
std::vector<std::int64_t> sample_test_frames(std::int64_t n, std::int64_t T, std::int64_t j, std::int64_t V);

}  // namespace actionclip
