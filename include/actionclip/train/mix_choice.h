// What is drawn for the mixing of a batch. Torch-free; the pixels are mixed in train/mix.h.
#pragma once

#include <cstdint>
#include <optional>

#include "actionclip/train/config.h"

namespace actionclip {

// Of a frame, in pixels.
struct MixBox {
  std::int64_t x = 0;
  std::int64_t y = 0;
  std::int64_t width = 0;
  std::int64_t height = 0;

  bool operator==(const MixBox&) const = default;
};

struct MixChoice {
  double share = 1;           // of a row's own clip and target; what is left is its partner's
  std::optional<MixBox> box;  // cutmix: it shows the partner; none: all pixels are of both (mixup)

  bool mixes() const { return share < 1; }
};

// The choice for one part of a step, a function of (seed, part) and thus the same on all ranks. `part` is
// counted over the steps, as in step_choices.h. The share comes from Beta(alpha, alpha). Frames are of
// width x height.
MixChoice choose_mix(const MixConfig& config, std::int64_t width, std::int64_t height, std::uint64_t seed,
                     std::int64_t part);

// Cutmix of `share`, as torchvision has it: the box is around the pixel (x, y), its sides are sqrt(1 - share)
// of the frame's, and what lies beyond the frame's edges is cut off; the choice's share is what it leaves.
MixChoice cutmix_choice(double share, std::int64_t x, std::int64_t y, std::int64_t width,
                        std::int64_t height);

}  // namespace actionclip
