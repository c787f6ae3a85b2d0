// Activation checkpointing (Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost"): a block keeps
// its input alone, and computes the rest again when its gradient is due. Written here because libtorch has
// this in Python only.
#pragma once

#include <functional>
#include <vector>

#include <ATen/core/Tensor.h>

namespace actionclip {

using Block = std::function<at::Tensor(const at::Tensor& x)>;

// block(x), whose backward pass runs `block` once more, in the same precision. `parameters`: all that the
// block learns; their gradients reach them as if the block had been called, so that ranks can reduce them as
// they come. The block must give the same result both times: what it draws must come from the default
// generator of x's device, and `draws` must say that it does; that generator's state is then kept for the
// second time. The backward pass belongs behind the scope of the forward pass's Autocast, whose copies of the
// weights have no graph, and gives no gradients of gradients.
at::Tensor run_checkpointed(const Block& block, const std::vector<at::Tensor>& parameters,
                            const at::Tensor& x, bool draws = false);

}  // namespace actionclip
