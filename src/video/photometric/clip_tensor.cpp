#include <sstream>

#include <ATen/core/Tensor.h>
#include <fmt/format.h>

#include "actionclip/core/error.h"
#include "actionclip/video/photometric.h"

namespace actionclip {
namespace {

ClipView view_of_clip(const at::Tensor& clip) {
  const bool fits = clip.defined() && clip.dim() == 4 && clip.size(1) == 3 &&
                    clip.scalar_type() == at::kByte && clip.is_cpu() && clip.is_contiguous();
  if (!fits) {
    std::ostringstream found;
    if (clip.defined()) {
      found << clip.scalar_type() << ' ' << clip.sizes() << " on " << clip.device()
            << (clip.is_contiguous() ? "" : ", not contiguous");
    } else {
      found << "an undefined tensor";
    }
    throw Error(fmt::format("a clip to augment is uint8 [T, 3, H, W], contiguous, on the CPU; found {}",
                            found.str()));
  }
  return {.data = clip.mutable_data_ptr<std::uint8_t>(),
          .frames = clip.size(0),
          .height = clip.size(2),
          .width = clip.size(3)};
}

}  // namespace

void color_augment(const at::Tensor& clip, const TransformConfig& config, RandomStream& random) {
  const auto view = view_of_clip(clip);
  apply(draw_color(config, view.frames, random), config.solarize_threshold, view);
}

void random_erase(const at::Tensor& clip, const ErasingConfig& config, const InputStatistics& input,
                  RandomStream& random) {
  const auto view = view_of_clip(clip);
  if (const auto drawn = draw_erasing(config, input, view.width, view.height, random)) apply(*drawn, view);
}

}  // namespace actionclip
