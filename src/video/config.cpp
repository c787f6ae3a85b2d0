#include "actionclip/video/config.h"

#include <fmt/format.h>

namespace actionclip {
namespace {

constexpr double kMaxSide = 8192;  // pixels

// Whether `pattern` gives every frame its own file name.
bool names_frames(const std::string& pattern) {
  try {
    return fmt::format(fmt::runtime(pattern), 1) != fmt::format(fmt::runtime(pattern), 2);
  } catch (const fmt::format_error&) {
    return false;
  }
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
}

void TransformConfig::check(ConfigChecker& checker) const {
  checker.in_range("input_size", static_cast<double>(input_size), 0, kMaxSide);
  for (const double scale : scales) {
    if (!(scale > 0 && scale <= 1)) {
      checker.error("scales", fmt::format("each must be greater than 0 and at most 1, found {}", scale));
      break;
    }
  }
  checker.in_range("flip", flip, 0, 1);
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
}

}  // namespace actionclip
