#include "actionclip/train/mix.h"

#include <ATen/ops/lerp.h>
#include <fmt/format.h>

#include "actionclip/core/error.h"

namespace actionclip {
namespace {

// In the place of each row its partner.
at::Tensor partners(const at::Tensor& rows, std::int64_t repeats) {
  const auto block = 2 * repeats;
  if (repeats < 1 || rows.size(0) % block != 0) {
    throw Error(
        fmt::format("train.mix: {} videos of a rank's part of a batch cannot be mixed in pairs: with "
                    "data.sampling.repeats "
                    "{} it must be a multiple of {}",
                    rows.size(0), repeats, block));
  }
  return rows.unflatten(0, {-1, 2, repeats}).flip(1).reshape(rows.sizes());
}

}  // namespace

at::Tensor mix_clips(const at::Tensor& clips, const MixChoice& choice, std::int64_t repeats) {
  if (choice.box) {
    const auto& [x, y, width, height] = *choice.box;
    auto mixed = clips.clone();
    mixed.narrow(-2, y, height)
        .narrow(-1, x, width)
        .copy_(partners(clips.narrow(-2, y, height).narrow(-1, x, width), repeats));
    return mixed;
  }
  const auto mixed = at::lerp(partners(clips, repeats).to(at::kFloat), clips.to(at::kFloat), choice.share);
  return clips.is_floating_point() ? mixed.to(clips.scalar_type()) : mixed.round().to(clips.scalar_type());
}

at::Tensor mix_targets(const at::Tensor& targets, const MixChoice& choice, std::int64_t repeats) {
  return at::lerp(partners(targets, repeats), targets, choice.share);
}

}  // namespace actionclip
