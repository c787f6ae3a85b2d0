// The file beside the weights of an open_clip model.
#include <cmath>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "weights/json_file.h"
#include "weights/model_description.h"
#include "weights/tensor_bounds.h"

namespace actionclip {
namespace {

struct Default {
  const char* key;
  nlohmann::json value;
};

// Settings of open_clip's encoders that the encoders here do not have, with the value that means without.
const std::vector<Default>& vision_defaults() {
  static const std::vector<Default> defaults = {
      {"attentional_pool", false},
      {"no_ln_pre", false},
      {"pos_embed_type", "learnable"},
      {"final_ln_after_pool", false},
      {"pool_type", "tok"},
      {"act_kwargs", nullptr},
      {"norm_kwargs", nullptr},
      {"timm_model_name", nullptr},
      {"block_type", "default"},
      {"qk_norm", false},
      {"scaled_cosine_attn", false},
      {"scale_heads", false},
      {"scale_attn_inner", false},
      {"scale_attn", false},
      {"scale_fc", false},
  };
  return defaults;
}

const std::vector<Default>& text_defaults() {
  static const std::vector<Default> defaults = {
      {"embed_cls", false},        {"no_causal_mask", false},     {"final_ln_after_pool", false},
      {"proj_bias", false},        {"proj_type", "linear"},       {"act_kwargs", nullptr},
      {"norm_kwargs", nullptr},    {"hf_model_name", nullptr},    {"block_type", "default"},
      {"qk_norm", false},          {"scaled_cosine_attn", false}, {"scale_heads", false},
      {"scale_attn_inner", false}, {"scale_attn", false},         {"scale_fc", false},
  };
  return defaults;
}

void require_defaults(const JsonSection& section, const std::vector<Default>& defaults) {
  for (const auto& [key, value] : defaults) {
    if (section.has(key) && section.object().at(key) != value)
      section.fail(key, "models with this setting are not supported");
  }
}

std::optional<std::int64_t> open_clip_mlp_width(const JsonSection& encoder, std::int64_t width) {
  const auto ratio = encoder.number("mlp_ratio").value_or(4);
  if (!(ratio > 0 && ratio < 1e6))
    encoder.fail("mlp_ratio", fmt::format("must be greater than 0, found {}", ratio));
  return static_cast<std::int64_t>(static_cast<double>(width) * ratio);
}

std::int64_t require_positive(const JsonSection& section, const std::string& key, std::int64_t otherwise) {
  const auto value = section.integer(key).value_or(otherwise);
  if (value < 1 || value > 1'000'000) section.fail(key, fmt::format("must be a size, found {}", value));
  return value;
}

VisionOverrides open_clip_vision(const JsonSection& section) {
  require_defaults(section, vision_defaults());
  VisionOverrides vision;
  const auto width = require_positive(section, "width", 768);
  const auto head_width = require_positive(section, "head_width", 64);
  vision.width = width;
  vision.image_size = section.square_side("image_size");
  if (section.is_list("layers")) {
    vision.stages = section.integers("layers");
    vision.heads = width * kResNetExpansion / head_width;
    return vision;
  }
  vision.heads = width / head_width;
  vision.layers = section.size("layers");
  vision.patch_size = section.square_side("patch_size");
  vision.mlp_width = open_clip_mlp_width(section, width);
  vision.layer_scale = section.has("ls_init_value");
  return vision;
}

TextOverrides open_clip_text(const JsonSection& section) {
  require_defaults(section, text_defaults());
  TextOverrides text;
  const auto width = require_positive(section, "width", 512);
  text.width = width;
  text.heads = section.size("heads").value_or(8);
  text.layers = section.size("layers");
  text.context_length = section.size("context_length");
  text.vocabulary_size = section.size("vocab_size");
  text.mlp_width = open_clip_mlp_width(section, width);
  text.layer_scale = section.has("ls_init_value");
  const auto pool = section.text("pool_type").value_or("argmax");
  if (pool != "argmax" && pool != "eos")
    section.fail("pool_type", fmt::format("{} is not supported, argmax and eos are", quoted_name(pool)));
  text.end_token = pool == "eos" ? section.integer("eos_id").value_or(kHuggingFaceLegacyEnd) : kLargestToken;
  return text;
}

// `mlp_ratio`, of which open_clip takes int(width * ratio).
double mlp_ratio_of(std::int64_t mlp_width, std::int64_t width) {
  const auto rows = static_cast<double>(mlp_width_of(mlp_width, width));
  const double exact = rows / static_cast<double>(width);
  return std::floor(exact * static_cast<double>(width)) == rows ? exact
                                                                : (rows + 0.5) / static_cast<double>(width);
}

}  // namespace

ModelDescription read_open_clip_description(const std::filesystem::path& folder) {
  const auto path = folder / kOpenClipConfig;
  const auto content = read_json_object(path);
  const JsonSection whole(content, path.string() + ": ");
  const auto model = whole.required_section("model_cfg");
  if (model.has("multimodal_cfg")) model.fail("multimodal_cfg", "models that write text are not supported");
  ModelDescription description;
  description.origin = kOpenClipConfig;
  description.embed_dim = model.size("embed_dim");
  description.vision = open_clip_vision(model.required_section("vision_cfg"));
  description.text = open_clip_text(model.required_section("text_cfg"));
  const bool quick = model.boolean("quick_gelu").value_or(false);
  description.vision_activation = description.text_activation =
      quick ? Activation::quick_gelu : Activation::gelu;
  if (const auto preprocessing = whole.section("preprocess_cfg")) {
    description.mean = preprocessing->numbers("mean");
    description.std = preprocessing->numbers("std");
  }
  return description;
}

nlohmann::ordered_json open_clip_config(const ActionClipConfig& model) {
  const VisionConfig& vision = model.vision;
  const TextTransformerConfig& text = model.text;
  nlohmann::ordered_json vision_cfg = {{"image_size", vision.image_size}, {"width", vision.width}};
  if (vision.is_resnet()) {
    vision_cfg["layers"] = vision.stages;
    vision_cfg["patch_size"] = nullptr;
    vision_cfg["head_width"] = vision.width * kResNetExpansion / vision.heads;
  } else {
    vision_cfg["layers"] = vision.layers;
    vision_cfg["patch_size"] = vision.patch_size;
    vision_cfg["head_width"] = vision.width / vision.heads;
    vision_cfg["mlp_ratio"] = mlp_ratio_of(vision.mlp_width, vision.width);
  }
  nlohmann::ordered_json text_cfg = {{"context_length", text.context_length},
                                     {"vocab_size", text.vocabulary_size},
                                     {"width", text.width},
                                     {"heads", text.heads},
                                     {"layers", text.layers},
                                     {"mlp_ratio", mlp_ratio_of(text.mlp_width, text.width)}};
  if (text.end_token != kLargestToken) {
    text_cfg["pool_type"] = "eos";
    text_cfg["eos_id"] = text.end_token;
  }
  constexpr double kLayerScaleStart = 1e-4;  // replaced by the weights
  if (vision.layer_scale) vision_cfg["ls_init_value"] = kLayerScaleStart;
  if (text.layer_scale) text_cfg["ls_init_value"] = kLayerScaleStart;
  return {{"model_cfg",
           {{"embed_dim", vision.output_dim},
            {"quick_gelu", text.activation == Activation::quick_gelu},
            {"vision_cfg", vision_cfg},
            {"text_cfg", text_cfg}}},
          {"preprocess_cfg", {{"mean", model.mean}, {"std", model.std}}}};
}

}  // namespace actionclip
