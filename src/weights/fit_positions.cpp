#include "fit_positions.h"

#include <spdlog/spdlog.h>

#include "actionclip/model/image_encoder.h"

namespace actionclip {
namespace {

constexpr const char* kTimePositions = "visual.time_embedding";

void fit_grid(StateDict& tensors, const StateDict& fresh, const std::string& name) {
  const auto found = tensors.find(name);
  const auto wanted = fresh.find(name);
  if (found == tensors.end() || wanted == fresh.end()) return;
  at::Tensor& positions = found->second;
  const auto& shape = wanted->second.sizes();
  const bool other_grid_alone = are_square_positions(positions) && positions.size(1) == shape[1];
  if (!other_grid_alone || positions.size(0) == shape[0]) return;
  std::int64_t grid = 1;
  while (grid * grid + 1 < shape[0]) ++grid;
  const auto former = positions.size(0) - 1;
  positions = resize_positions(positions, grid);
  spdlog::info("weights: {} interpolated from {} to {} patches", name, former, grid * grid);
}

void fit_time(StateDict& tensors, const StateDict& fresh) {
  const auto wanted = fresh.find(kTimePositions);
  if (wanted == fresh.end()) return;
  const auto [found, missing] = tensors.emplace(kTimePositions, wanted->second);
  if (missing) {
    spdlog::info("weights: no {}, it starts fresh", kTimePositions);
    return;
  }
  at::Tensor& positions = found->second;
  const auto& shape = wanted->second.sizes();
  if (positions.dim() != 2 || positions.size(0) < 1 || positions.size(1) != shape[1] ||
      positions.size(0) == shape[0])
    return;
  spdlog::info("weights: {} interpolated from {} to {} frames", kTimePositions, positions.size(0), shape[0]);
  positions = resize_time_positions(positions, shape[0]);
}

}  // namespace

void fit_positions(StateDict& tensors, const StateDict& fresh) {
  for (const char* name : {"visual.positional_embedding", "visual.attnpool.positional_embedding"})
    fit_grid(tensors, fresh, name);
  fit_time(tensors, fresh);
}

}  // namespace actionclip
