// Telling weights files apart by their first bytes.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace actionclip {

enum class WeightsContainer { kSafetensors, kZip };

// `beginning`: the first bytes of the file, 512 or all of it. Throws WeightsError saying what the file is
// instead, where that can be told: empty, a web page, a git-lfs pointer, PyTorch's old formats.
WeightsContainer detect_weights_container(std::span<const std::byte> beginning, std::string_view source);

}  // namespace actionclip
