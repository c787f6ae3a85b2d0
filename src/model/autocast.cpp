#include "actionclip/model/autocast.h"

#include <ATen/autocast_mode.h>

#include "actionclip/core/error.h"

namespace actionclip {

Autocast::Autocast(c10::DeviceType device, Precision precision)
    : device_(device), enabled_(precision != Precision::fp32) {
  if (!enabled_) return;
  if (precision == Precision::fp16 && device == c10::kCPU) {
    throw Error("precision fp16 needs a CUDA device: use bf16 or fp32 on the CPU");
  }
  was_enabled_ = at::autocast::is_autocast_enabled(device_);
  former_type_ = at::autocast::get_autocast_dtype(device_);
  at::autocast::set_autocast_dtype(device_, precision == Precision::bf16 ? at::kBFloat16 : at::kHalf);
  at::autocast::set_autocast_enabled(device_, true);
  at::autocast::increment_nesting();
}

Autocast::~Autocast() {
  if (!enabled_) return;
  // Copies of the weights in low precision are kept for the scope; they must not outlive an optimiser step.
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(device_, was_enabled_);
  at::autocast::set_autocast_dtype(device_, former_type_);
}

Precision current_precision(c10::DeviceType device) {
  if (!at::autocast::is_autocast_enabled(device)) return Precision::fp32;
  return at::autocast::get_autocast_dtype(device) == at::kHalf ? Precision::fp16 : Precision::bf16;
}

c10::ScalarType product_type(c10::DeviceType device) {
  return at::autocast::is_autocast_enabled(device) ? at::autocast::get_autocast_dtype(device) : at::kFloat;
}

}  // namespace actionclip
