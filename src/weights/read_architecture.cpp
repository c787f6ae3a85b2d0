#include "weights/read_architecture.h"

#include <string_view>

#include <fmt/format.h>

#include "weights/shape_reader.h"
#include "weights/tensor_blocks.h"

namespace actionclip {
namespace {

constexpr int kStages = 4;
constexpr const char* kTimeEmbedding = "visual.time_embedding";
constexpr const char* kContextVectors = "context.vectors";
constexpr const char* kClassifierWeight = "classifier.weight";
constexpr const char* kFramePositions = "fusion.frame_position_embeddings.weight";

// Sizes of the residual attention blocks below `transformer`.
template <typename Encoder>
void read_blocks(ShapeReader& shapes, const std::string& transformer, Encoder& encoder) {
  const auto prefix = transformer + ".resblocks.";
  const auto rows = shapes.rows(prefix + "0.mlp.c_fc.weight");
  encoder.layers = shapes.count_blocks(prefix, {{"attn.out_proj.weight", {encoder.width, encoder.width}},
                                                {"mlp.c_fc.weight", {rows, encoder.width}}});
  encoder.mlp_width = rows == kAnySize || rows == 4 * encoder.width ? 0 : rows;
  encoder.layer_scale = shapes.has(prefix + "0.ls_1.gamma");
  encoder.heads = default_heads(encoder.width);
}

VisionConfig read_vision_transformer(ShapeReader& shapes) {
  VisionConfig vision;
  const auto patches = shapes.read("visual.conv1.weight", {kAnySize, 3, kAnySize, kAnySize});
  if (patches[2] != patches[3]) {
    shapes.report(
        fmt::format("visual.conv1.weight is {}: its patches must be square", shape_string(patches)));
  }
  vision.patch_size = patches[3];
  vision.width = patches[0];
  vision.image_size = shapes.read_grid("visual.positional_embedding", vision.width) * vision.patch_size;
  read_blocks(shapes, "visual.transformer", vision);
  if (shapes.has(kTimeEmbedding))
    vision.joint_frames = shapes.read(kTimeEmbedding, {kAnySize, vision.width})[0];
  vision.output_dim = shapes.read("visual.proj", {vision.width, kAnySize})[1];
  return vision;
}

VisionConfig read_resnet(ShapeReader& shapes) {
  VisionConfig vision;
  const auto half = shapes.read("visual.conv1.weight", {kAnySize, 3, 3, 3})[0];
  const auto times = [](std::int64_t size, std::int64_t factor) {
    return size == kAnySize ? kAnySize : size * factor;
  };
  vision.width = times(half, 2);
  for (int stage = 0; stage < kStages; ++stage) {
    const auto channels = times(vision.width, std::int64_t{1} << stage);
    vision.stages.push_back(shapes.count_blocks(fmt::format("visual.layer{}.", stage + 1),
                                                {{"conv2.weight", {channels, channels, 3, 3}}}));
  }
  const auto attended = times(vision.width, kResNetExpansion);
  vision.image_size = kResNetExpansion * shapes.read_grid("visual.attnpool.positional_embedding", attended);
  vision.heads = default_heads(attended);
  vision.output_dim = shapes.read("visual.attnpool.c_proj.weight", {kAnySize, attended})[0];
  return vision;
}

TextTransformerConfig read_text(ShapeReader& shapes) {
  TextTransformerConfig text;
  const auto tokens = shapes.read("token_embedding.weight", {kAnySize, kAnySize});
  const auto positions = shapes.read("positional_embedding", {kAnySize, tokens[1]});
  text.vocabulary_size = tokens[0];
  text.context_length = positions[0];
  text.width = positions[1];
  read_blocks(shapes, "transformer", text);
  text.output_dim = shapes.read("text_projection", {text.width, kAnySize})[1];
  return text;
}

FusionType fusion_type_of(const StateDict& tensors) {
  const auto has = [&](const char* prefix) { return has_names_below(tensors, prefix); };
  if (has("fusion.lstm_visual.")) return FusionType::LSTM;
  if (has("fusion.shift.")) return FusionType::Conv_1D;
  if (has("fusion.transformer.cls_token") || has("fusion.transformer.pos_embed") ||
      has("fusion.transformer.transformer_enc."))
    return FusionType::Transf_cls;
  if (has("fusion.transformer.resblocks.") || has(kFramePositions)) return FusionType::Transf;
  return FusionType::meanP;
}

void read_transf(ShapeReader& shapes, TemporalFusionConfig& fusion) {
  const auto width = fusion.width;
  fusion.layers =
      shapes.count_blocks("fusion.transformer.resblocks.",
                          {{"attn.out_proj.weight", {width, width}},
                           {"mlp.c_fc.weight", {width == kAnySize ? kAnySize : 4 * width, width}}});
  // Told missing with the others, as one that holds all but this is a head none the less.
  if (shapes.has(kFramePositions)) fusion.positions = shapes.read(kFramePositions, {kAnySize, width})[0];
}

void read_transf_cls(ShapeReader& shapes, TemporalFusionConfig& fusion) {
  const auto width = fusion.width;
  fusion.layers = shapes.count_blocks(
      "fusion.transformer.transformer_enc.layers.",
      {{"self_attn.out_proj.weight", {width, width}}, {"linear1.weight", {kClassTokenMlpWidth, width}}});
  const auto positions = shapes.read("fusion.transformer.pos_embed", {1, kAnySize, width})[1];
  if (positions != kAnySize) fusion.frames = positions - 1;  // the class token's comes first
}

TemporalFusionConfig read_fusion(const StateDict& tensors, ShapeReader& shapes,
                                 const ActionClipConfig& encoders, std::int64_t frames) {
  TemporalFusionConfig fusion;
  fusion.type = fusion_type_of(tensors);
  fusion.width = encoders.vision.output_dim;
  fusion.heads = encoders.text.heads;
  fusion.frames = encoders.vision.joint_frames > 0 ? encoders.vision.joint_frames : frames;
  const auto width = fusion.width;
  switch (fusion.type) {
    case FusionType::meanP:
      break;
    case FusionType::Conv_1D:
      shapes.read("fusion.shift.weight", {width, 1, 3});
      break;
    case FusionType::LSTM:
      shapes.read("fusion.lstm_visual.weight_hh_l0", {width == kAnySize ? kAnySize : 4 * width, width});
      break;
    case FusionType::Transf:
      read_transf(shapes, fusion);
      break;
    case FusionType::Transf_cls:
      read_transf_cls(shapes, fusion);
      break;
  }
  return fusion;
}

// [length, width], or [classes, length, width] where each class has its own.
LearnedContextConfig read_context(const StateDict& tensors, ShapeReader& shapes, std::int64_t width) {
  LearnedContextConfig context;
  const auto vectors = tensors.find(kContextVectors);
  if (vectors == tensors.end()) return context;
  const bool of_classes = vectors->second.dim() == 3;
  if (of_classes) {
    const auto shape = shapes.read(kContextVectors, {kAnySize, kAnySize, width});
    context.classes = shape[0];
    context.length = shape[1];
  } else {
    context.length = shapes.read(kContextVectors, {kAnySize, width})[0];
  }
  return context;
}

}  // namespace

ActionClipConfig read_architecture(const StateDict& tensors, std::int64_t frames) {
  ShapeReader shapes(tensors);
  ActionClipConfig model;
  const bool resnet =
      has_names_below(tensors, "visual.layer1.") || has_names_below(tensors, "visual.attnpool.");
  model.vision = resnet ? read_resnet(shapes) : read_vision_transformer(shapes);
  model.text = read_text(shapes);
  model.fusion = read_fusion(tensors, shapes, model, frames);
  model.context = read_context(tensors, shapes, model.text.width);
  if (tensors.contains(kClassifierWeight))
    model.classes = shapes.read(kClassifierWeight, {kAnySize, model.vision.output_dim})[0];
  if (!shapes.found_nothing()) shapes.fail(expected_names(tensors, model));
  return model;
}

}  // namespace actionclip
