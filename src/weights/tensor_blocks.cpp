#include "weights/tensor_blocks.h"

#include <charconv>

#include <fmt/format.h>

namespace actionclip {

bool has_names_below(const StateDict& tensors, const std::string& prefix) {
  const auto next = tensors.lower_bound(prefix);
  return next != tensors.end() && next->first.starts_with(prefix);
}

std::set<std::int64_t> blocks_below(const StateDict& tensors, const std::string& prefix) {
  std::set<std::int64_t> blocks;
  for (auto entry = tensors.lower_bound(prefix); entry != tensors.end(); ++entry) {
    const std::string& name = entry->first;
    if (!name.starts_with(prefix)) break;
    const auto rest = name.substr(prefix.size());
    std::int64_t block = -1;
    std::from_chars(rest.data(), rest.data() + rest.size(), block);
    if (block >= 0 && block < kMaxBlocks && rest.starts_with(fmt::format("{}.", block))) blocks.insert(block);
  }
  return blocks;
}

}  // namespace actionclip
