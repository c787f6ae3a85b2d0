#include "actionclip/train/encoder_layers.h"

#include <charconv>
#include <numeric>
#include <optional>
#include <system_error>

namespace actionclip {
namespace {

// Takes `prefix` and the number behind it off the front of `name`; none, and `name` as it was, if it does not
// begin so.
std::optional<std::int64_t> take_number(std::string_view& name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return std::nullopt;
  const char* begin = name.data() + prefix.size();
  const char* end = name.data() + name.size();
  std::int64_t number = 0;
  const auto [rest, code] = std::from_chars(begin, end, number);
  if (code != std::errc()) return std::nullopt;
  name.remove_prefix(static_cast<std::size_t>(rest - name.data()));
  return number;
}

// The number of a residual block over all stages, from "visual.layerSTAGE.BLOCK."; stages are numbered
// from 1.
std::optional<std::int64_t> residual_block(std::string_view name, const VisionConfig& vision) {
  const auto stage = take_number(name, "visual.layer");
  const auto block = stage ? take_number(name, ".") : std::nullopt;
  if (!block || *stage < 1 || *stage > static_cast<std::int64_t>(vision.stages.size())) return std::nullopt;
  return std::accumulate(vision.stages.begin(), vision.stages.begin() + (*stage - 1), *block);
}

}  // namespace

std::int64_t count_blocks(const VisionConfig& vision) {
  if (!vision.is_resnet()) return vision.layers;
  return std::accumulate(vision.stages.begin(), vision.stages.end(), std::int64_t{0});
}

std::int64_t count_blocks(const TextTransformerConfig& text) { return text.layers; }

std::int64_t layer_of(std::string_view name, const VisionConfig& vision) {
  std::string_view rest = name;
  const auto block =
      vision.is_resnet() ? residual_block(name, vision) : take_number(rest, "visual.transformer.resblocks.");
  if (block) return *block + 1;
  for (const std::string_view end : {"visual.ln_post.", "visual.proj", "visual.attnpool."}) {
    if (name.starts_with(end)) return count_blocks(vision) + 1;
  }
  return 0;
}

std::int64_t layer_of(std::string_view name, const TextTransformerConfig& text) {
  std::string_view rest = name;
  if (const auto block = take_number(rest, "transformer.resblocks.")) return *block + 1;
  const bool behind = name.starts_with("ln_final.") || name == "text_projection";
  return behind ? count_blocks(text) + 1 : 0;
}

}  // namespace actionclip
