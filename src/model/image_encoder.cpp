#include "actionclip/model/image_encoder.h"

#include <cmath>

#include <ATen/ops/_upsample_bicubic2d_aa.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/upsample_linear1d.h>

#include "actionclip/model/modified_resnet.h"
#include "actionclip/model/vision_transformer.h"

namespace actionclip {
namespace {

// g of positions [1 + g g, width], rounded.
std::int64_t grid_of(const at::Tensor& positions) {
  return std::llround(std::sqrt(static_cast<double>(positions.size(0) - 1)));
}

}  // namespace

std::shared_ptr<ImageEncoder> make_image_encoder(const VisionConfig& config) {
  if (config.is_resnet()) return std::make_shared<ModifiedResNetImpl>(config);
  return std::make_shared<VisionTransformerImpl>(config);
}

bool are_square_positions(const at::Tensor& positions) {
  if (positions.dim() != 2 || positions.size(0) < 2) return false;
  const std::int64_t grid = grid_of(positions);
  return grid * grid + 1 == positions.size(0);
}

at::Tensor resize_positions(const at::Tensor& positions, std::int64_t grid) {
  TORCH_CHECK(are_square_positions(positions) && grid > 0, "positions of shape ", positions.sizes(),
              " are not those of a square of patches and a class token");
  const auto values = positions.to(at::kFloat);
  const std::int64_t former = grid_of(positions), width = positions.size(1);
  if (former == grid) return values;
  const auto patches = values.narrow(0, 1, former * former).view({1, former, former, width});
  const auto resized = at::_upsample_bicubic2d_aa(patches.permute({0, 3, 1, 2}).contiguous(), {grid, grid},
                                                  /*align_corners=*/false);
  return at::cat({values.narrow(0, 0, 1), resized.permute({0, 2, 3, 1}).reshape({grid * grid, width})});
}

at::Tensor resize_time_positions(const at::Tensor& positions, std::int64_t frames) {
  TORCH_CHECK(positions.dim() == 2 && positions.size(0) > 0 && frames > 0, "positions of shape ",
              positions.sizes(), " are not those of frames");
  const auto in_time = positions.to(at::kFloat).t().unsqueeze(0).contiguous();
  return at::upsample_linear1d(in_time, {frames}, /*align_corners=*/false).squeeze(0).t().contiguous();
}

}  // namespace actionclip
