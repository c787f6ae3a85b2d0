#include "temporal_shift.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

namespace actionclip {
namespace {

constexpr std::int64_t kParts = 8;  // of the channels, of which one moves each way

// to[t] = from[t + step], zeros where there is no such frame; both [B, T, P, C], step 1 or -1.
void take(const at::Tensor& to, const at::Tensor& from, std::int64_t step) {
  const std::int64_t last = to.size(1) - 1;
  to.narrow(1, step > 0 ? 0 : 1, last).copy_(from.narrow(1, step > 0 ? 1 : 0, last));
  to.select(1, step > 0 ? last : 0).zero_();
}

// `step` 1: the shift; -1: its transpose, which takes gradients back.
at::Tensor shifted(const at::Tensor& x, std::int64_t frames, std::int64_t step) {
  const auto source = x.contiguous();
  at::Tensor result = source.clone();
  const std::int64_t patches = x.size(1) - 1, moved = x.size(2) / kParts;
  const auto patches_of = [&](const at::Tensor& tokens, std::int64_t first_channel) {
    return tokens.view({x.size(0) / frames, frames, x.size(1), x.size(2)})
        .narrow(2, 1, patches)
        .narrow(3, first_channel, moved);
  };
  take(patches_of(result, 0), patches_of(source, 0), step);
  take(patches_of(result, moved), patches_of(source, moved), -step);
  return result;
}

// Plain autograd would copy the tensor once for every slice of it.
class TemporalShift : public torch::autograd::Function<TemporalShift> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            std::int64_t frames) {
    context->saved_data["frames"] = frames;
    return shifted(x, frames, 1);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    return {shifted(gradients[0], context->saved_data["frames"].toInt(), -1), at::Tensor()};
  }
};

}  // namespace

at::Tensor temporal_shift(const at::Tensor& x, std::int64_t frames) {
  TORCH_CHECK(x.dim() == 3 && frames > 0 && x.size(0) % frames == 0, "tokens of shape ", x.sizes(),
              " are not those of videos of ", frames, " frames");
  return TemporalShift::apply(x, frames);
}

at::Tensor shares_before_shift(const at::Tensor& shares, std::int64_t frames, std::int64_t width) {
  const double moved = static_cast<double>(width / kParts) / static_cast<double>(width);
  auto sources = at::zeros({frames, frames}, shares.options());  // [to, from]
  sources.fill_diagonal_(1 - 2 * moved);
  if (frames > 1) {
    sources.diagonal(1).fill_(moved);
    sources.diagonal(-1).fill_(moved);
  }
  sources.div_(sources.sum(1, /*keepdim=*/true));
  const auto of_patches = shares.narrow(1, 1, shares.size(1) - 1).reshape({-1, frames, shares.size(1) - 1});
  const auto passed_on = at::matmul(sources.t(), of_patches).flatten(0, 1);
  return at::cat({shares.narrow(1, 0, 1), passed_on}, 1);
}

}  // namespace actionclip
