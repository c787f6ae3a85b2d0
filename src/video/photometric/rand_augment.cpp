#include <cmath>
#include <utility>

#include "actionclip/video/photometric.h"

namespace actionclip {
namespace {

constexpr auto kOperations = static_cast<std::int64_t>(AugmentOperation::equalize) + 1;
constexpr double kLastStep = 30;
// Values at the last step.
constexpr double kMaxShear = 0.3;
constexpr double kMaxRotation = 30;  // degrees
constexpr double kMaxFactorChange = 0.9;
constexpr double kDroppedBits = 4;
constexpr double kByteBits = 8;
constexpr double kMaxThreshold = 255;  // at step 0, falling to 0

// 150 / 331 of the side. Rounded once, so that a whole number of pixels stays whole.
double max_translation(std::int64_t side, double step) {
  return 150.0 * static_cast<double>(side) * step / (331.0 * kLastStep);
}

}  // namespace

double augment_magnitude(AugmentOperation operation, std::int64_t magnitude, std::int64_t width,
                         std::int64_t height) {
  const auto step = static_cast<double>(magnitude);
  const double share = step / kLastStep;
  switch (operation) {
    case AugmentOperation::shear_x:
    case AugmentOperation::shear_y:
      return kMaxShear * share;
    case AugmentOperation::translate_x:
      return max_translation(width, step);
    case AugmentOperation::translate_y:
      return max_translation(height, step);
    case AugmentOperation::rotate:
      return kMaxRotation * share;
    case AugmentOperation::brightness:
    case AugmentOperation::saturation:
    case AugmentOperation::contrast:
    case AugmentOperation::sharpness:
      return kMaxFactorChange * share;
    case AugmentOperation::posterize:
      return kByteBits - std::round(kDroppedBits * share);
    case AugmentOperation::solarize:
      return kMaxThreshold * (kLastStep - step) / kLastStep;
    case AugmentOperation::identity:
    case AugmentOperation::autocontrast:
    case AugmentOperation::equalize:
      return 0;
  }
  return 0;
}

bool is_signed(AugmentOperation operation) {  // all from the first to the last of these
  return operation >= AugmentOperation::shear_x && operation <= AugmentOperation::sharpness;
}

std::vector<DrawnOperation> draw_rand_augment(const RandAugmentConfig& config, std::int64_t width,
                                              std::int64_t height, RandomStream& random) {
  std::vector<DrawnOperation> drawn;
  for (std::int64_t i = 0; i < config.operations; ++i) {
    const auto operation = static_cast<AugmentOperation>(random.below(kOperations));
    const double magnitude = augment_magnitude(operation, config.magnitude, width, height);
    const bool negative = is_signed(operation) && random.below(2) == 1;
    drawn.push_back({.operation = operation, .magnitude = negative ? -magnitude : magnitude});
  }
  return drawn;
}

void apply(const DrawnOperation& drawn, const PixelView& pixels) {
  const double magnitude = drawn.magnitude;
  const auto whole = static_cast<std::int64_t>(magnitude);
  switch (drawn.operation) {
    case AugmentOperation::identity:
      return;
    case AugmentOperation::shear_x:
      return shear_x(pixels, magnitude);
    case AugmentOperation::shear_y:
      return shear_y(pixels, magnitude);
    case AugmentOperation::translate_x:
      return translate(pixels, whole, 0);
    case AugmentOperation::translate_y:
      return translate(pixels, 0, whole);
    case AugmentOperation::rotate:
      return rotate(pixels, magnitude);
    case AugmentOperation::brightness:
      return adjust_brightness(pixels, 1 + magnitude);
    case AugmentOperation::saturation:
      return adjust_saturation(pixels, 1 + magnitude);
    case AugmentOperation::contrast:
      return adjust_contrast(pixels, 1 + magnitude);
    case AugmentOperation::sharpness:
      return adjust_sharpness(pixels, 1 + magnitude);
    case AugmentOperation::posterize:
      return posterize(pixels, static_cast<int>(whole));
    case AugmentOperation::solarize:
      return solarize(pixels, magnitude);
    case AugmentOperation::autocontrast:
      return autocontrast(pixels);
    case AugmentOperation::equalize:
      return equalize(pixels);
  }
}

std::vector<Image> rand_augment(std::vector<Image> frames, const RandAugmentConfig& config,
                                RandomStream& random) {
  std::vector<DrawnOperation> drawn;
  for (std::size_t i = 0; i < frames.size() && config.operations > 0; ++i) {
    const auto pixels = view_of(frames[i]);
    if (i == 0 || config.per_frame) drawn = draw_rand_augment(config, pixels.width, pixels.height, random);
    for (const auto& operation : drawn) apply(operation, pixels);
  }
  return frames;
}

}  // namespace actionclip
