// Which frames of a video a clip shows. Torch-free. n frames, T segments; indices from 0, in increasing
// order, repeated where n < T.
#pragma once

#include <cstdint>
#include <vector>

#include "actionclip/core/random.h"
#include "actionclip/video/config.h"

namespace actionclip {

// The most frames a video may have (two years of them): more is a mistake in a list or a container. It keeps
// the integer arithmetic below far from overflow for the clip lengths (4096) and views (1000) that the
// settings allow.
inline constexpr std::int64_t kMaxFrameCount = std::int64_t{1} << 31;

// Training, by sampling.strategy. Throws Error if n < 1, n > kMaxFrameCount or T < 1.
//   segment (the paper's section 3.3, sparse sampling as in TSN): n > T: segment i covers the frames [i*n/T,
//     (i+1)*n/T) in integer arithmetic and one of them is drawn uniformly; n <= T: every frame, and T - n
//     random repeats.
//   dense: frames start, start + stride ..., T of them, the start drawn uniformly from [0, n - span], where
//     span = (T-1)*stride + 1. A video shorter than the span starts at 0, and its last frame is repeated (as
//     SlowFast and mmaction2's out_of_bound_opt 'repeat_last' do; mmaction2's 'loop' would begin again, but
//     time must not run backwards).
//   uniform: as in a test, nothing is drawn.
std::vector<std::int64_t> sample_training_frames(std::int64_t n, std::int64_t T,
                                                 const SamplingConfig& sampling, RandomStream& random);

// Clip j of the V clips of a test. Throws Error unless n, T, V >= 1, n <= kMaxFrameCount and 0 <= j < V.
//   segment: frame i is floor(i*n/T + (n/T - 1)(j + 1/2)/V), so that the clips divide a segment evenly and a
//     single one shows its middle; i*n/T for every j if n <= T; the middle frame n/2 if T = V = 1.
//   dense: as in training, the start at round(j*(n - span)/(V-1)), halves to even; (n - span)/2 rounded down
//     if V = 1 (mmaction2's SampleFrames in test mode).
//   uniform: T*V frames at equal distances from the first to the last, dealt out in turns: frame i is
//     floor((i*V + j)*(n-1)/(T*V-1)), which for V = 1 is numpy.linspace(0, n - 1, T) rounded down; the middle
//     frame n/2 if T = V = 1.
std::vector<std::int64_t> sample_test_frames(std::int64_t n, std::int64_t T, std::int64_t j = 0,
                                             std::int64_t V = 1, const SamplingConfig& sampling = {});

}  // namespace actionclip
