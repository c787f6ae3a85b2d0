// Where a synthetic shape is, how large, turned and opaque, over the time of a clip.
#pragma once

#include <cstdint>
#include <vector>

#include "actionclip/core/random.h"

#include "video/synthetic_labels.h"

namespace actionclip {

// Lengths are shares of the frame's side; x to the right, y down.
struct Pose {
  double x = 0.5;
  double y = 0.5;
  double size = 0.17;  // from the centre to the tip
  double angle = 0.0;  // radians, clockwise; 0 points up
  double opacity = 1.0;
};

double random_size(RandomStream& random);

// A pose drawn at random, a shape of this size (nearly) inside the frame: what a still shows, and what a clip
// starts from.
Pose random_pose(double size, RandomStream& random);

// The poses of a clip's frames. A motion of a pair draws the same numbers as its counterpart, in reversed
// order.
std::vector<Pose> random_motion(SyntheticMotion motion, std::int64_t frames, RandomStream& random);

}  // namespace actionclip
