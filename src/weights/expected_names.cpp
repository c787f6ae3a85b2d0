// Names and shapes of a model's tensors: those of one with few blocks, which are repeated.
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/CPUGeneratorImpl.h>
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
  std::size_t stage = 0;  // of a ResNet, from 1 on; 0: of a transformer
};

constexpr std::array kBlocks = {
    Blocks{"visual.transformer.resblocks."},
    Blocks{"visual.layer1.", 1},
    Blocks{"visual.layer2.", 2},
    Blocks{"visual.layer3.", 3},
    Blocks{"visual.layer4.", 4},
    Blocks{"transformer.resblocks."},
    Blocks{"fusion.transformer.resblocks."},
    Blocks{"fusion.transformer.transformer_enc.layers."},
};

// Of each stage: its first block and one for all others.
std::vector<std::int64_t> fewest_of_stages() { return {2, 2, 2, 2}; }

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
    smallest.vision.stages = fewest_of_stages();
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

// A model whose tensors have the same shapes, with as few blocks as can be and one token.
ActionClipConfig with_fewest_blocks(ActionClipConfig model) {
  if (model.vision.is_resnet()) model.vision.stages = fewest_of_stages();
  model.vision.layers = model.text.layers = model.fusion.layers = 1;
  model.text.vocabulary_size = 1;
  return model;
}

std::int64_t count_of(const Blocks& blocks, const ActionClipConfig& model) {
  if (blocks.stage > 0) return model.vision.stages.at(blocks.stage - 1);
  switch (part_of(blocks.prefix)) {
    case ModelPart::image:
      return model.vision.layers;
    case ModelPart::fusion:
      return model.fusion.layers;
    default:
      return model.text.layers;
  }
}

// Whether the block `own` of a model with few blocks stands for the block `other` of a larger one.
bool stands_for(const Blocks& blocks, std::int64_t own, std::int64_t other) {
  return blocks.stage > 0 ? (own == 0) == (other == 0) : true;
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

// The state dict of a model that is built for its names and shapes. Its first values are drawn at random, but
// reading a file must not change what the program draws afterwards.
StateDict state_dict_of(const ActionClipConfig& sizes) {
  at::Generator generator = at::detail::getDefaultCPUGenerator();
  const at::Tensor before = generator.get_state();
  auto tensors = state_dict(ActionClip(sizes));
  generator.set_state(before);
  return tensors;
}

}  // namespace

std::set<std::string> expected_names(const StateDict& tensors, const ActionClipConfig& model) {
  std::set<std::string> names;
  for (const auto& [name, tensor] : state_dict_of(smallest_like(model))) {
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

std::map<std::string, std::vector<std::int64_t>> expected_shapes(const ActionClipConfig& model) {
  std::map<std::string, std::vector<std::int64_t>> shapes;
  for (const auto& [name, tensor] : state_dict_of(with_fewest_blocks(model))) {
    const auto shape = tensor.sizes().vec();
    const auto of_block = block_of(name);
    if (!of_block) {
      shapes.emplace(name, shape);
      continue;
    }
    const auto count = count_of(of_block->blocks, model);
    for (std::int64_t block = 0; block < count; ++block) {
      if (stands_for(of_block->blocks, of_block->block, block))
        shapes.emplace(fmt::format("{}{}{}", of_block->blocks.prefix, block, of_block->rest), shape);
    }
  }
  shapes.at("token_embedding.weight").front() = model.text.vocabulary_size;
  return shapes;
}

}  // namespace actionclip
