// Where a parameter lies in the depth of its encoder: what training the last blocks alone, and learning rates
// that decay with depth, go by.
#pragma once

#include <cstdint>
#include <string_view>

#include "actionclip/model/config.h"

namespace actionclip {

// L: the blocks of an encoder; of a ResNet, the residual blocks of all stages.
std::int64_t count_blocks(const VisionConfig& vision);
std::int64_t count_blocks(const TextTransformerConfig& text);

// The layer of a parameter, by its name in a state dict:
//   0       what comes before the blocks: class token, positions, patch or token embedding, a ResNet's stem
//   1 .. L  the blocks
//   L + 1   what follows them: ln_post and proj, or a ResNet's attnpool; ln_final and text_projection
// The first takes the image encoder's names ("visual.proj"), the second the text encoder's ("ln_final.bias").
std::int64_t layer_of(std::string_view name, const VisionConfig& vision);
std::int64_t layer_of(std::string_view name, const TextTransformerConfig& text);

}  // namespace actionclip
