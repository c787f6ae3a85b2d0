// Models that differ in their number of blocks alone, for tests of memory.
#pragma once

#include <cstdint>
#include <filesystem>

#include "tests/weights/small_model.h"

namespace actionclip {

// 3 MiB a block of the image encoder, and half a MiB beside them.
inline ActionClipConfig sizes_of_blocks(std::int64_t blocks) {
  auto sizes = small_sizes();
  sizes.vision.width = 256;
  sizes.vision.heads = 4;
  sizes.vision.layers = blocks;
  return sizes;
}

inline constexpr std::int64_t kFewBlocks = 1, kManyBlocks = 24;  // the latter: 73 MiB

inline void write_model(const std::filesystem::path& file, std::int64_t blocks) {
  const auto sizes = sizes_of_blocks(blocks);
  write_weights(file, state_dict(ActionClip(sizes)), to_metadata(sizes));
}

}  // namespace actionclip
