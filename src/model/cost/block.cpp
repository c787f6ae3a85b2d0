#include "block.h"

namespace actionclip {
namespace {

// Tensors of the perceptron's width that its activation holds at once, its input and its result among them:
// QuickGELU computes 1.702 x and the sigmoid of that first; its gradient has the gate and the slope beside
// the incoming one.
double widest_tensors(Activation activation) { return activation == Activation::quick_gelu ? 3 : 2; }

// Weights and biases of the four linear layers: 3 w^2 + w^2 of attention, 2 w m of the perceptron.
std::int64_t linear_parameters(const Stack& stack) {
  const auto w = static_cast<std::int64_t>(stack.width), m = static_cast<std::int64_t>(stack.mlp_width);
  return 4 * w * w + 4 * w + 2 * w * m + m + w;
}

// What both kinds of block have in common.
Segment block_base(const Stack& stack, bool learns) {
  const auto w = static_cast<std::int64_t>(stack.width);
  const double values = stack.length * stack.width, hidden = stack.length * stack.mlp_width;
  const double widest = widest_tensors(stack.activation);
  Segment block;
  block.learns = learns;
  block.parameters = linear_parameters(stack) + 4 * w + (stack.layer_scale ? 2 * w : 0);
  block.copied_weights = static_cast<double>(linear_parameters(stack));
  block.is_block = true;
  block.input = stack.sequences * values * kFloatBytes;
  // A pass that keeps nothing holds, in the activation, the block's input and both operands of the second
  // layer norm beside it.
  block.forward = stack.sequences * (3 * values * kFloatBytes + widest * hidden * stack.type);
  return block;
}

}  // namespace

// Linear layers: 4 w^2 + 2 w m multiply-adds a position; attention's two products: L^2 w each. The residual
// stream is fp32 in any precision: embeddings and positions are; a residual addition keeps nothing.
Segment whole_block(const Stack& stack, bool learns) {
  const double w = stack.width, m = stack.mlp_width, L = stack.length, t = stack.type;
  const double values = L * w, hidden = L * m;
  auto block = block_base(stack, learns);
  block.attention_flops = stack.sequences * 4 * L * L * w;
  block.flops = stack.sequences * 2 * L * (4 * w * w + 2 * w * m) + block.attention_flops;

  const double norms = 2 * values * kFloatBytes;  // their inputs
  const double attention = 4 * values * t;        // queries, keys, values; its output, which out_proj takes
  const double linear_inputs = 2 * values * t;    // of in_proj and c_fc, which frozen layers do not need
  const double c_proj_input = hidden * t;
  const double activation = hidden * t;  // its input
  const double scaled = stack.layer_scale ? 2 * values * t : 0;
  const double statistics = (4 + stack.heads) * L * kFloatBytes;  // of layer norms; log-sum-exp
  block.kept_frozen = stack.sequences * (norms + attention + activation + statistics);
  block.kept = block.kept_frozen + stack.sequences * (linear_inputs + c_proj_input + scaled);

  // In the activation's gradient, when c_proj's input is gone already, beside that of the residual stream.
  const double gone = learns ? c_proj_input : 0;
  block.backward =
      stack.sequences * (values * kFloatBytes + widest_tensors(stack.activation) * hidden * t - gone);
  return block;
}

Segment block_at_one_position(const Stack& stack, bool learns) {
  const double w = stack.width, m = stack.mlp_width, L = stack.length, t = stack.type;
  const double values = L * w;
  auto block = block_base(stack, learns);
  // Keys and values everywhere; query, output projection and perceptron once.
  block.attention_flops = stack.sequences * 4 * L * w;
  block.flops = stack.sequences * (4 * L * w * w + 4 * w * w + 4 * w * m) + block.attention_flops;

  const double everywhere = values * kFloatBytes + 2 * values * t;  // ln_1's input; keys and values
  const double row = 2 * w * t + w * kFloatBytes + m * t;  // query and output; ln_2's input; the activation's
  const double linear_inputs = values * t + (2 * w + m) * t;
  block.kept_frozen = stack.sequences * (everywhere + row);
  block.kept = block.kept_frozen + stack.sequences * linear_inputs;
  block.forward = stack.sequences * (2 * values * kFloatBytes + 3 * values * t);
  // The gradients of keys and values, and that of the residual stream.
  block.backward = stack.sequences * (values * kFloatBytes + 2 * values * t);
  return block;
}

std::vector<Segment> encoder_blocks(const Stack& stack, std::int64_t layers, std::int64_t learning) {
  std::vector<Segment> blocks;
  for (std::int64_t i = 0; i < layers; ++i) {
    const bool learns = i >= layers - learning;
    blocks.push_back(i + 1 < layers ? whole_block(stack, learns) : block_at_one_position(stack, learns));
  }
  return blocks;
}

}  // namespace actionclip
