#include "actionclip/video/config.h"

#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace actionclip {
namespace {

constexpr double kMaxSide = 8192;    // pixels
constexpr double kMaxStride = 1024;  // half a minute
constexpr double kMaxRepeats = 64;
constexpr double kMaxOperations = 64;
constexpr double kMaxMagnitude = 30;  // of torchvision's 31 steps
constexpr double kHalfCircle = 0.5;
constexpr double kMinSigma = 0.01;  // pixels
constexpr double kMaxSigma = 64;
constexpr double kMaxAspect = 100;
constexpr double kMinScale = 0.01;  // of a frame's short side: a few pixels
constexpr double kMinArea = 1e-4;   // of a frame
constexpr double kMaxByte = 255;

// Whether `pattern` gives every frame its own file name.
bool names_frames(const std::string& pattern) {
  try {
    return fmt::format(fmt::runtime(pattern), 1) != fmt::format(fmt::runtime(pattern), 2);
  } catch (const fmt::format_error&) {
    return false;
  }
}

// That `range` is two numbers, minimum <= low <= high <= maximum.
void check_range(ConfigChecker& checker, std::string_view key, const std::vector<double>& range,
                 double minimum, double maximum) {
  if (range.size() == 2 && range[0] >= minimum && range[0] <= range[1] && range[1] <= maximum) return;
  checker.error(key, fmt::format("must be two numbers [low, high], {} <= low <= high <= {}, found [{}]",
                                 minimum, maximum, fmt::join(range, ", ")));
}

void check_aspect(ConfigChecker& checker, const std::vector<double>& range) {
  check_range(checker, "aspect", range, 1 / kMaxAspect, kMaxAspect);
}

// Warnings, as experiments inherit settings for a choice that they change.
void check_effects(const TransformConfig& config, ConfigChecker& checker) {
  const TransformConfig usual;
  const auto warn_unless_usual = [&](const char* key, auto member, const char* where) {
    if (config.*member != usual.*member) checker.warning(key, fmt::format("without effect {}", where));
  };
  if (config.crop == CropKind::multi_scale) {
    warn_unless_usual("area", &TransformConfig::area, "with crop: multi_scale");
    warn_unless_usual("aspect", &TransformConfig::aspect, "with crop: multi_scale");
  } else {
    warn_unless_usual("scales", &TransformConfig::scales, "with crop: random_resized");
  }
  if (config.solarize == 0)
    warn_unless_usual("solarize_threshold", &TransformConfig::solarize_threshold, "with solarize: 0");
  if (config.flip == 0 && !config.flip_labels.empty())
    checker.warning("flip_labels", "without effect with flip: 0");
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
  const bool is_file = protocol.ends_with(".yaml") || protocol.find('/') != std::string::npos;
  if (is_file && !protocol.starts_with('/'))
    checker.error("protocol", "must be the name of a protocol, or the whole path of its file, from / on");
  if (format == ListFormat::class_folders && !root.empty())
    checker.error("root", "not used by format: class_folders, whose list is the folder; leave it out");
}

void SamplingConfig::check(ConfigChecker& checker) const {
  checker.in_range("stride", static_cast<double>(stride), 1, kMaxStride);
  checker.in_range("repeats", static_cast<double>(repeats), 1, kMaxRepeats);
  if (strategy != FrameSampling::dense && stride != SamplingConfig().stride)
    checker.warning("stride", "without effect unless strategy is dense");
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
  check_range(checker, "sigma", sigma, kMinSigma, kMaxSigma);
}

void ErasingConfig::check(ConfigChecker& checker) const {
  checker.in_range("probability", probability, 0, 1);
  check_range(checker, "area", area, kMinArea, 1);
  check_aspect(checker, aspect);
}

void TransformConfig::check(ConfigChecker& checker) const {
  checker.in_range("input_size", static_cast<double>(input_size), 0, kMaxSide);
  for (const double scale : scales) {
    if (!(scale >= kMinScale && scale <= 1)) {
      checker.error("scales",
                    fmt::format("each must be at least {} and at most 1, found {}", kMinScale, scale));
      break;
    }
  }
  check_range(checker, "area", area, kMinArea, 1);
  check_aspect(checker, aspect);
  checker.in_range("flip", flip, 0, 1);
  checker.in_range("grayscale", grayscale, 0, 1);
  checker.in_range("solarize", solarize, 0, 1);
  checker.in_range("solarize_threshold", static_cast<double>(solarize_threshold), 0, kMaxByte);
  checker.in_range("test_resize", static_cast<double>(test_resize), 0, kMaxSide);
  if (test_resize > 0 && test_resize < input_size) {
    checker.error("test_resize",
                  fmt::format("must be at least input_size = {}, found {}", input_size, test_resize));
  }
  check_effects(*this, checker);
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
