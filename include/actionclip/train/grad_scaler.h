// Loss scaling for fp16, whose gradients would underflow (Micikevicius et al., "Mixed Precision Training",
// section 3.2). Written here because libtorch has this in Python only; the work is done by its kernels for
// it.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>
#include <nlohmann/json.hpp>

namespace actionclip {

struct GradScalerOptions {
  double initial_scale = 65536;
  double growth_factor = 2;
  double backoff_factor = 0.5;
  std::int64_t growth_interval = 2000;  // steps with finite gradients before the scale grows
  double floor = 1;                     // gradients that overflow below it would do so unscaled
};

// A step: scale(loss).backward(); if (scaler.unscale(gradients)) the optimiser steps; scaler.update().
// Ranks that unscale the same reduced gradients keep the same scale without speaking to each other.
class GradScaler {
 public:
  explicit GradScaler(at::Device device, const GradScalerOptions& options = {});

  at::Tensor scale(const at::Tensor& loss) const;

  // Divides the gradients by the scale, in place. False if one is not finite: then the step must be skipped.
  // Call it once a step.
  bool unscale(at::TensorList gradients);

  // Shrinks the scale after gradients that were not finite, grows it after growth_interval steps without.
  // Call it after each unscale(). Throws std::logic_error without one.
  void update();

  double current_scale() const;

  // True once the scale is below the floor: what overflows then is the model, not the scale.
  bool exhausted() const { return current_scale() < options_.floor; }

  // The state as JSON, exact. load_state throws Error if `state` is not such.
  nlohmann::json state() const;
  void load_state(const nlohmann::json& state);

 private:
  GradScalerOptions options_;
  at::Tensor scale_;            // float32 [1]
  at::Tensor growth_tracker_;   // int32 [1]: steps since the scale changed
  at::Tensor found_nonfinite_;  // float32 [1]; undefined between update() and unscale()
};

}  // namespace actionclip
