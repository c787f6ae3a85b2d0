// Gradients as a whole: their norm, and clipping it. Every tensor must be defined, of one type and on one
// device (Optimizer::gradients()); each function costs one pass and one synchronisation with the device.
#pragma once

#include <ATen/core/Tensor.h>

namespace actionclip {

// The 2-norm over all elements of all gradients, 0 for none.
double gradient_norm(at::TensorList gradients);

// Scales the gradients in place so that their norm is at most `max_norm`, and returns the norm they had. A
// norm that is not finite is returned and the gradients are left as they are: the caller decides about the
// step.
double clip_gradients(at::TensorList gradients, double max_norm);

}  // namespace actionclip
