// Names of a model's tensors: those of one that is as small as can be, its blocks repeated.
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "actionclip/model/action_clip.h"
#include "actionclip/weights/initialize.h"

#include "weights/read_architecture.h"
#include "weights/tensor_blocks.h"

namespace actionclip {
namespace {

// Before the number of a block. Of a ResNet's stage the first block is unlike the others.
struct Blocks {
  std::string_view prefix;
  bool of_stage = false;
};

constexpr std::array kBlocks = {
    Blocks{"visual.transformer.resblocks."}, Blocks{"visual.layer1.", true},
    Blocks{"visual.layer2.", true},          Blocks{"visual.layer3.", true},
    Blocks{"visual.layer4.", true},          Blocks{"transformer.resblocks."},
    Blocks{"fusion.transformer.resblocks."}, Blocks{"fusion.transformer.transformer_enc.layers."},
};

// A model of the same parts, which names its tensors alike.
ActionClipConfig smallest_like(const ActionClipConfig& model) {
  constexpr std::int64_t kWidth = kClassTokenHeads;  // the narrowest that every head can have
  ActionClipConfig smallest;
  smallest.vision = {.image_size = 1,
                     .patch_size = 1,
                     .width = 1,
                     .layers = 1,
                     .heads = 1,
                     .output_dim = kWidth,
                     .layer_scale = model.vision.layer_scale,
                     .stages = {},
                     .joint_frames = model.vision.joint_frames == 0 ? 0 : 1};
  if (model.vision.is_resnet()) {
    smallest.vision.stages = {2, 2, 2, 2};
    smallest.vision.image_size = 32;
    smallest.vision.width = 2;
  }
  smallest.text = {.context_length = 3,
                   .vocabulary_size = 1,
                   .width = 1,
                   .layers = 1,
                   .heads = 1,
                   .output_dim = kWidth,
                   .layer_scale = model.text.layer_scale};
  smallest.fusion = {
      .type = model.fusion.type, .width = kWidth, .layers = 1, .heads = 1, .frames = 1, .positions = 1};
  smallest.context = {.length = model.context.length == 0 ? 0 : 1,
                      .classes = model.context.classes == 0 ? 0 : 1,
                      .position = model.context.position};
  smallest.classes = model.classes == 0 ? 0 : 1;
  return smallest;
}

// The blocks that `name`, of a block of the smallest model, stands for.
bool stands_for(const Blocks& blocks, std::int64_t own, std::int64_t other) {
  return blocks.of_stage ? (own == 0) == (other == 0) : true;
}

struct BlockName {
  Blocks blocks;
  std::int64_t block;
  std::string rest;  // with the dot
};

std::optional<BlockName> block_of(const std::string& name) {
  for (const Blocks& blocks : kBlocks) {
    if (!name.starts_with(blocks.prefix)) continue;
    const auto number = name.substr(blocks.prefix.size());
    const auto dot = number.find('.');
    if (dot == std::string::npos) continue;
    return BlockName{blocks, std::stoll(number.substr(0, dot)), number.substr(dot)};
  }
  return std::nullopt;
}

}  // namespace

std::set<std::string> expected_names(const StateDict& tensors, const ActionClipConfig& model) {
  std::set<std::string> names;
  for (const auto& [name, tensor] : state_dict(ActionClip(smallest_like(model)))) {
    const auto of_block = block_of(name);
    if (!of_block) {
      names.insert(name);
      continue;
    }
    const auto present = blocks_below(tensors, std::string(of_block->blocks.prefix));
    if (present.empty()) names.insert(fmt::format("{}*", of_block->blocks.prefix));
    for (const auto block : present) {
      if (stands_for(of_block->blocks, of_block->block, block))
        names.insert(fmt::format("{}{}{}", of_block->blocks.prefix, block, of_block->rest));
    }
  }
  return names;
}

}  // namespace actionclip
