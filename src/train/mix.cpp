#include "actionclip/train/mix.h"

#include <ATen/ops/lerp.h>
#include <ATen/ops/one_hot.h>
#include <fmt/format.h>

#include "actionclip/core/error.h"

namespace actionclip {
namespace {

// In the place of each row its partner.
at::Tensor partners(const at::Tensor& rows, std::int64_t repeats) {
  require_partners(rows.size(0), repeats);
  return rows.unflatten(0, {-1, 2, repeats}).flip(1).reshape(rows.sizes());
}

}  // namespace

void require_partners(std::int64_t rows, std::int64_t repeats) {
  if (rows % (2 * repeats) == 0) return;
  throw Error(fmt::format(
      "train.mix: clips are mixed in pairs of videos, but a rank has {} clips of a batch (train.batch_size / "
      "train.accumulate_steps / ranks): it must be a multiple of {} (2 * data.sampling.repeats)",
      rows, 2 * repeats));
}

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

void mix(TrainBatch& batch, const MixChoice& choice, std::int64_t repeats, std::int64_t classes) {
  if (!batch.targets.defined()) batch.targets = at::one_hot(batch.label_ids, classes).to(at::kFloat);
  batch.targets = mix_targets(batch.targets, choice, repeats);
  batch.clips = mix_clips(batch.clips, choice, repeats);
}

}  // namespace actionclip
