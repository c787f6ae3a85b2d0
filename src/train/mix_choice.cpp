#include "actionclip/train/mix_choice.h"

#include <algorithm>
#include <cmath>

#include "actionclip/core/random.h"

namespace actionclip {

MixChoice cutmix_choice(double share, std::int64_t x, std::int64_t y, std::int64_t width,
                        std::int64_t height) {
  const double half = 0.5 * std::sqrt(1.0 - share);  // of a side
  const auto half_width = static_cast<std::int64_t>(half * static_cast<double>(width));
  const auto half_height = static_cast<std::int64_t>(half * static_cast<double>(height));
  const auto left = std::max<std::int64_t>(x - half_width, 0);
  const auto top = std::max<std::int64_t>(y - half_height, 0);
  const MixBox box{.x = left,
                   .y = top,
                   .width = std::min(x + half_width, width) - left,
                   .height = std::min(y + half_height, height) - top};
  const auto covered = static_cast<double>(box.width * box.height) / static_cast<double>(width * height);
  return {.share = 1.0 - covered, .box = box};
}

MixChoice choose_mix(const MixConfig& config, std::int64_t width, std::int64_t height, std::uint64_t seed,
                     std::int64_t part) {
  RandomStream random(seed, RandomPurpose::kMix, static_cast<std::uint64_t>(part));
  if (!config.enabled() || !random.chance(config.probability)) return {};
  const bool both = config.mixup_alpha > 0 && config.cutmix_alpha > 0;
  const bool cutmix = both ? random.chance(config.switch_probability) : config.cutmix_alpha > 0;
  const double alpha = cutmix ? config.cutmix_alpha : config.mixup_alpha;
  const double share = random.beta(alpha, alpha);
  if (!cutmix) return {.share = share, .box = std::nullopt};
  const auto x = random.below(width);
  const auto y = random.below(height);
  return cutmix_choice(share, x, y, width, height);
}

}  // namespace actionclip
