// The cost of CLIP's pre-norm residual attention block.
#pragma once

#include "actionclip/model/config.h"

#include "segment.h"

namespace actionclip {

// A stack of blocks on `sequences` sequences of `length` positions each. The heads count for the memory of
// attention alone.
struct Stack {
  double sequences = 1, length = 0, width = 0, heads = 0, mlp_width = 0;
  Activation activation = Activation::quick_gelu;
  bool layer_scale = false;
  double type = kFloatBytes;  // bytes of what matrix products are computed in
};

Segment whole_block(const Stack& stack, bool learns);

// The last block of an encoder: keys and values of all positions; query, output projection and perceptron of
// one.
Segment block_at_one_position(const Stack& stack, bool learns);

// `layers` blocks, of which the last is computed at one position; the last `learning` of them learn.
std::vector<Segment> encoder_blocks(const Stack& stack, std::int64_t layers, std::int64_t learning);

}  // namespace actionclip
