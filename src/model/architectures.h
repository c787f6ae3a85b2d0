// The architectures that are known by name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actionclip/model/config.h"

namespace actionclip {

struct Architecture {
  std::int64_t embed_dim;
  VisionConfig vision;
  TextTransformerConfig text;
};

// OpenAI's models under CLIP's names ("ViT-B/32", "RN50x4"), with QuickGELU; those of open_clip under its own
// ("ViT-B-32", "ViT-H-14"), with GELU, and with QuickGELU where "-quickgelu" follows. open_clip's names of
// the ResNets are OpenAI's: those with GELU are had by `activation: gelu`.
std::optional<Architecture> find_architecture(std::string_view name);

}  // namespace actionclip
