// Mixed precision for a scope: inside it, the operations that are safe in bf16 or fp16 run in it, with fp32
// master weights.
#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include "actionclip/model/config.h"

namespace actionclip {

class Autocast {
 public:
  // fp32: changes nothing. Throws Error for fp16 on the CPU, where no operation would gain.
  Autocast(c10::DeviceType device, Precision precision);
  ~Autocast();
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  c10::DeviceType device_;
  bool enabled_;
  bool was_enabled_ = false;
  c10::ScalarType former_type_ = c10::ScalarType::Undefined;
};

// The precision of the scope at hand.
Precision current_precision(c10::DeviceType device);

// The type that matrix products and convolutions of the scope at hand read, to which they convert what they
// are given.
c10::ScalarType product_type(c10::DeviceType device);

}  // namespace actionclip
