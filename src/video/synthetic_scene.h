// Pictures of the synthetic data: a coloured shape before a varied, dull background, with grain.
#pragma once

#include <cstdint>

#include <opencv2/core.hpp>

#include "actionclip/core/random.h"
#include "actionclip/video/image.h"

#include "video/synthetic_labels.h"
#include "video/synthetic_motion.h"

namespace actionclip {

// Gaussian noise, [256, 256, 3] floats of standard deviation 1, that all pictures take their grain from
// (drawing it anew for every frame would take most of the time).
cv::Mat random_grain(std::uint64_t seed);

// What stays the same over a clip: the shape's exact colour, the background, the strength of the grain.
class SyntheticScene {
 public:
  // `grain` must outlive the scene.
  SyntheticScene(SyntheticColour colour, SyntheticShape shape, int frame_size, const cv::Mat& grain,
                 RandomStream& random);

  // The picture with the shape in `pose`; which grain it gets is drawn from `random`.
  Image draw(const Pose& pose, RandomStream& random) const;

 private:
  SyntheticShape shape_;
  cv::Vec3f colour_;    // RGB, 0 to 255
  cv::Mat background_;  // [frame_size, frame_size, 3] floats, RGB, 0 to 255
  const cv::Mat& grain_;
  float grain_strength_;
};

}  // namespace actionclip
