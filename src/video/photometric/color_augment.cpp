#include <algorithm>

#include "actionclip/video/photometric.h"

namespace actionclip {
namespace {

double draw_factor(double spread, RandomStream& random) {
  return random.uniform(std::max(0.0, 1 - spread), 1 + spread);
}

DrawnJitter draw_jitter(const ColorJitterConfig& config, RandomStream& random) {
  DrawnJitter drawn{
      .order = {JitterStep::brightness, JitterStep::contrast, JitterStep::saturation, JitterStep::hue}};
  random.shuffle(drawn.order);
  drawn.brightness = draw_factor(config.brightness, random);
  drawn.contrast = draw_factor(config.contrast, random);
  drawn.saturation = draw_factor(config.saturation, random);
  drawn.hue = random.uniform(-config.hue, config.hue);
  return drawn;
}

// A factor of 1 and a shift of 0 change nothing and need no pass over the pixels.
void apply(JitterStep step, const DrawnJitter& drawn, const PixelView& pixels) {
  switch (step) {
    case JitterStep::brightness:
      if (drawn.brightness != 1) adjust_brightness(pixels, drawn.brightness);
      return;
    case JitterStep::contrast:
      if (drawn.contrast != 1) adjust_contrast(pixels, drawn.contrast);
      return;
    case JitterStep::saturation:
      if (drawn.saturation != 1) adjust_saturation(pixels, drawn.saturation);
      return;
    case JitterStep::hue:
      if (drawn.hue != 0) adjust_hue(pixels, drawn.hue);
      return;
  }
}

}  // namespace

DrawnColor draw_color(const TransformConfig& config, std::int64_t frames, RandomStream& random) {
  DrawnColor drawn;
  const bool jitters = random.chance(config.color_jitter.probability);
  drawn.grayscale = random.chance(config.grayscale);
  const bool blurs = random.chance(config.blur.probability);
  const double sigma = random.uniform(config.blur.sigma[0], config.blur.sigma[1]);
  if (blurs) drawn.blur_sigma = sigma;
  drawn.solarize = random.chance(config.solarize);
  // Last, because how much is drawn depends on the number of frames.
  const auto jitter_count = config.color_jitter.per_frame ? frames : 1;
  for (std::int64_t i = 0; jitters && i < jitter_count; ++i) {
    drawn.jitter.push_back(draw_jitter(config.color_jitter, random));
  }
  return drawn;
}

void apply(const DrawnColor& drawn, std::int64_t solarize_threshold, const ClipView& clip) {
  for (std::int64_t t = 0; t < clip.frames; ++t) {
    const auto pixels = clip.frame(t);
    if (!drawn.jitter.empty()) {
      const auto& jitter = drawn.jitter[drawn.jitter.size() == 1 ? 0 : t];
      for (const auto step : jitter.order) apply(step, jitter, pixels);
    }
    if (drawn.grayscale) to_grayscale(pixels);
    if (drawn.blur_sigma) gaussian_blur(pixels, *drawn.blur_sigma);
    if (drawn.solarize) solarize(pixels, static_cast<double>(solarize_threshold));
  }
}

}  // namespace actionclip
