#include "actionclip/train/grad_scaler.h"

#include <cmath>
#include <stdexcept>

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include "actionclip/core/error.h"

namespace actionclip {

GradScaler::GradScaler(at::Device device, const GradScalerOptions& options)
    : options_(options),
      scale_(at::full({1}, options.initial_scale, at::TensorOptions(at::kFloat).device(device))),
      growth_tracker_(at::zeros({1}, at::TensorOptions(at::kInt).device(device))) {}

at::Tensor GradScaler::scale(const at::Tensor& loss) const { return loss * scale_.squeeze(); }

bool GradScaler::unscale(at::TensorList gradients) {
  if (found_nonfinite_.defined()) throw std::logic_error("unscale() twice without update()");
  const at::NoGradGuard no_grad;
  found_nonfinite_ = at::zeros_like(scale_);
  if (gradients.empty()) return true;
  at::_amp_foreach_non_finite_check_and_unscale_(gradients, found_nonfinite_, scale_.reciprocal());
  return found_nonfinite_.item<float>() == 0;
}

void GradScaler::update() {
  if (!found_nonfinite_.defined()) throw std::logic_error("update() without unscale()");
  at::_amp_update_scale_(scale_, growth_tracker_, found_nonfinite_, options_.growth_factor,
                         options_.backoff_factor, options_.growth_interval);
  found_nonfinite_.reset();
}

double GradScaler::current_scale() const { return scale_.item<float>(); }

nlohmann::json GradScaler::state() const {
  return {{"scale", current_scale()}, {"growth_tracker", growth_tracker_.item<int>()}};
}

void GradScaler::load_state(const nlohmann::json& state) {
  try {
    const auto scale = state.at("scale").get<double>();
    const auto tracker = state.at("growth_tracker").get<std::int64_t>();
    if (!std::isfinite(scale) || scale <= 0 || tracker < 0) throw Error("values out of range");
    scale_.fill_(scale);
    growth_tracker_.fill_(tracker);
  } catch (const std::exception& problem) {
    throw Error(
        fmt::format("the gradient scaler's state cannot be used ({}): {}", problem.what(), state.dump()));
  }
}

}  // namespace actionclip
