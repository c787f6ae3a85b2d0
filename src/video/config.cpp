#include "actionclip/video/config.h"

#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace actionclip {
namespace {

constexpr double kMaxSide = 8192;  // pixels
constexpr double kMaxStride = 1 << 16;
constexpr double kMaxRepeats = 64;
constexpr double kMaxOperations = 64;
constexpr double kMaxMagnitude = 30;  // of torchvision's 31 steps
constexpr double kHalfCircle = 0.5;
constexpr double kMaxSigma = 64;  // pixels
constexpr double kMaxAspect = 100;
constexpr double kMaxByte = 255;

// Whether `pattern` gives every frame its own file name.
bool names_frames(const std::string& pattern) {
  try {
    return fmt::format(fmt::runtime(pattern), 1) != fmt::format(fmt::runtime(pattern), 2);
  } catch (const fmt::format_error&) {
    return false;
  }
}

// That `range` is two numbers, 0 < low <= high <= maximum.
void check_range(ConfigChecker& checker, std::string_view key, const std::vector<double>& range,
                 double maximum) {
  if (range.size() == 2 && range[0] > 0 && range[0] <= range[1] && range[1] <= maximum) return;
  checker.error(key, fmt::format("must be two numbers [low, high], 0 < low <= high <= {}, found [{}]",
                                 maximum, fmt::join(range, ", ")));
}

}  // namespace

std::int64_t default_test_resize(std::int64_t input_size) { return input_size * 256 / 224; }

void DatasetConfig::check(ConfigChecker& checker) const {
  if (!names_frames(frame_pattern)) {
    checker.error(
        "frame_pattern",
        fmt::format("must hold the place of the frame's number once, as img_{{:05d}}.jpg does, found '{}'",
                    frame_pattern));
  }
  checker.at_least("index_bias", static_cast<double>(index_bias), 0);
  if (format == ListFormat::class_folders && !root.empty())
    checker.error("root", "not used by format: class_folders, whose list is the folder; leave it out");
}

void SamplingConfig::check(ConfigChecker& checker) const {
  checker.in_range("stride", static_cast<double>(stride), 1, kMaxStride);
  checker.in_range("repeats", static_cast<double>(repeats), 1, kMaxRepeats);
}

void RandAugmentConfig::check(ConfigChecker& checker) const {
  checker.in_range("operations", static_cast<double>(operations), 0, kMaxOperations);
  checker.in_range("magnitude", static_cast<double>(magnitude), 0, kMaxMagnitude);
}

void ColorJitterConfig::check(ConfigChecker& checker) const {
  checker.in_range("probability", probability, 0, 1);
  checker.in_range("brightness", brightness, 0, 1);
  checker.in_range("contrast", contrast, 0, 1);
  checker.in_range("saturation", saturation, 0, 1);
  checker.in_range("hue", hue, 0, kHalfCircle);
}

void BlurConfig::check(ConfigChecker& checker) const {
  checker.in_range("probability", probability, 0, 1);
  check_range(checker, "sigma", sigma, kMaxSigma);
}

void ErasingConfig::check(ConfigChecker& checker) const {
  checker.in_range("probability", probability, 0, 1);
  check_range(checker, "area", area, 1);
  check_range(checker, "aspect", aspect, kMaxAspect);
}

void TransformConfig::check(ConfigChecker& checker) const {
  checker.in_range("input_size", static_cast<double>(input_size), 0, kMaxSide);
  for (const double scale : scales) {
    if (!(scale > 0 && scale <= 1)) {
      checker.error("scales", fmt::format("each must be greater than 0 and at most 1, found {}", scale));
      break;
    }
  }
  check_range(checker, "area", area, 1);
  check_range(checker, "aspect", aspect, kMaxAspect);
  checker.in_range("flip", flip, 0, 1);
  checker.in_range("grayscale", grayscale, 0, 1);
  checker.in_range("solarize", solarize, 0, 1);
  checker.in_range("solarize_threshold", static_cast<double>(solarize_threshold), 0, kMaxByte);
  checker.in_range("test_resize", static_cast<double>(test_resize), 0, kMaxSide);
  if (test_resize > 0 && test_resize < input_size) {
    checker.error("test_resize",
                  fmt::format("must be at least input_size = {}, found {}", input_size, test_resize));
  }
}

TransformConfig resolve(TransformConfig config, std::int64_t image_size) {
  if (config.input_size == 0) config.input_size = image_size;
  if (config.test_resize == 0) config.test_resize = default_test_resize(config.input_size);
  return config;
}

void DataConfig::check(ConfigChecker& checker) const {
  checker.in_range("num_workers", static_cast<double>(num_workers), 0, 1024);
  checker.in_range("prefetch", static_cast<double>(prefetch), 1, 1024);
  checker.in_range("max_failed_share", max_failed_share, 0, 1);
  checker.at_least("video_seconds", video_seconds, 0);
}

}  // namespace actionclip
