// libtorch's clip_grad_norm_ for C++ launches a kernel for each parameter; these use its multi-tensor
// kernels.
#include "actionclip/train/gradients.h"

#include <cmath>

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>

namespace actionclip {

double gradient_norm(at::TensorList gradients) {
  if (gradients.empty()) return 0;
  const at::NoGradGuard no_grad;
  return at::linalg_vector_norm(at::stack(at::_foreach_norm(gradients))).item<double>();
}

double clip_gradients(at::TensorList gradients, double max_norm) {
  const double norm = gradient_norm(gradients);
  if (!std::isfinite(norm) || norm <= max_norm) return norm;
  const at::NoGradGuard no_grad;
  at::_foreach_mul_(gradients, max_norm / norm);
  return norm;
}

}  // namespace actionclip
