// The augmentations of a training clip that keep its geometry to themselves: RandAugment before the crop, and
// behind the flip colour jitter, grey, blur, solarise and erasing. Each is drawn first, from a random stream
// of its own, and then applied, so that what was drawn can be looked at, given and repeated.
//
// Torch-free but for the two functions that take tensors; safe to call from many threads at once and
// single-threaded within a call.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include <boost/describe.hpp>

#include "actionclip/core/random.h"
#include "actionclip/video/config.h"
#include "actionclip/video/image.h"
#include "actionclip/video/pixel_operations.h"

namespace at {
class Tensor;
}

namespace actionclip {

// RandAugment's operations in torchvision's order; the magnitude's meaning behind each.
enum class AugmentOperation {
  identity,
  shear_x,      // tangent
  shear_y,      // tangent
  translate_x,  // pixels, its fraction cut off
  translate_y,  // pixels, its fraction cut off
  rotate,       // degrees
  brightness,   // factor - 1
  saturation,   // factor - 1
  contrast,     // factor - 1
  sharpness,    // factor - 1
  posterize,    // bits
  solarize,     // threshold
  autocontrast,
  equalize,
};
BOOST_DESCRIBE_ENUM(AugmentOperation, identity, shear_x, shear_y, translate_x, translate_y, rotate,
                    brightness, saturation, contrast, sharpness, posterize, solarize, autocontrast, equalize)

struct DrawnOperation {
  AugmentOperation operation = AugmentOperation::identity;
  double magnitude = 0;

  bool operator==(const DrawnOperation&) const = default;
};

// torchvision's table for a frame of width x height at step `magnitude` of 0..30, without the sign that
// operations that are signed draw.
double augment_magnitude(AugmentOperation operation, std::int64_t magnitude, std::int64_t width,
                         std::int64_t height);
bool is_signed(AugmentOperation operation);

// `config.operations` operations, each any of the 14 with the same chance.
std::vector<DrawnOperation> draw_rand_augment(const RandAugmentConfig& config, std::int64_t width,
                                              std::int64_t height, RandomStream& random);

// Throws Error on a magnitude out of the operation's range.
void apply(const DrawnOperation& drawn, const PixelView& pixels);

// The clip's frames, drawn for its first frame's size once or, per_frame, for each. Throws VideoError on a
// frame whose bytes are not those of its size.
std::vector<Image> rand_augment(std::vector<Image> frames, const RandAugmentConfig& config,
                                RandomStream& random);

// A clip in memory, [frames, 3, height, width], not owned.
struct ClipView {
  std::uint8_t* data = nullptr;
  std::int64_t frames = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;

  PixelView frame(std::int64_t t) const {
    return {.data = data + t * 3 * width * height,
            .width = width,
            .height = height,
            .layout = PixelLayout::planar};
  }
};

enum class JitterStep { brightness, contrast, saturation, hue };

struct DrawnJitter {
  std::vector<JitterStep> order;
  double brightness = 1;  // factors
  double contrast = 1;
  double saturation = 1;
  double hue = 0;  // of the circle
};

// What happens to a clip, in this order.
struct DrawnColor {
  std::vector<DrawnJitter> jitter;  // of the whole clip (1), of each frame (T), or none
  bool grayscale = false;
  std::optional<double> blur_sigma;
  bool solarize = false;
};

// For a clip of `frames` frames. What happens is drawn whatever the chances are, the jitter's strengths last:
// to switch one augmentation on or off leaves the others of the clip as they were.
DrawnColor draw_color(const TransformConfig& config, std::int64_t frames, RandomStream& random);

void apply(const DrawnColor& drawn, std::int64_t solarize_threshold, const ClipView& clip);

// What a model takes from its input's red, green and blue, and divides them by, on the scale from 0 to 1:
// model.mean and model.std. CLIP's, where nothing else is known.
struct InputStatistics {
  std::array<double, 3> mean = {0.48145466, 0.4578275, 0.40821073};
  std::array<double, 3> std = {0.26862954, 0.26130258, 0.27577711};
};

struct DrawnErasing {
  Rectangle rectangle;
  // Of the rectangle's pixels, row by row, the same for all frames; one alone is that of all pixels.
  std::vector<Color> colors;
};

// As torchvision's RandomErasing draws: ten tries for a rectangle smaller than the frame, else none. Its
// colour is the mean of the model's input; noise is normal with its mean and standard deviation, cut off at
// the ends of a byte's range.
std::optional<DrawnErasing> draw_erasing(const ErasingConfig& config, const InputStatistics& input,
                                         std::int64_t width, std::int64_t height, RandomStream& random);

void apply(const DrawnErasing& drawn, const ClipView& clip);

// Draw and apply, in place, to a clip uint8 [T, 3, H, W], contiguous, in the CPU's memory. Throw Error on any
// other tensor.
void color_augment(const at::Tensor& clip, const TransformConfig& config, RandomStream& random);
void random_erase(const at::Tensor& clip, const ErasingConfig& config, const InputStatistics& input,
                  RandomStream& random);

}  // namespace actionclip
