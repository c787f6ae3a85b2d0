// Names in messages.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace actionclip {

// "a, b, c": the first `most` of `names`, and " ..." behind them where there are more. `count`: how many
// there are in all, where `names` are only the first; 0: those given.
std::string joined_names(std::span<const std::string> names, std::size_t most, std::size_t count = 0);

}  // namespace actionclip
