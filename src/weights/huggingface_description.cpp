// The files beside the weights of transformers' CLIPModel.
#include <cmath>
#include <string>
#include <system_error>

#include <fmt/format.h>

#include "weights/json_file.h"
#include "weights/model_description.h"
#include "weights/tensor_bounds.h"

namespace actionclip {
namespace {

Activation huggingface_activation(const JsonSection& encoder) {
  const auto name = encoder.text("hidden_act").value_or("quick_gelu");
  if (name == "quick_gelu") return Activation::quick_gelu;
  if (name == "gelu") return Activation::gelu;
  encoder.fail("hidden_act", fmt::format("{} is not supported, gelu and quick_gelu are", quoted_name(name)));
}

void require_encoder_eps(const JsonSection& encoder) {
  const auto eps = encoder.number("layer_norm_eps").value_or(kEncoderLayerNormEps);
  if (std::abs(eps - kEncoderLayerNormEps) > 1e-9)
    encoder.fail("layer_norm_eps", fmt::format("{} is not supported, {} is", eps, kEncoderLayerNormEps));
}

// The end token as TextTransformerConfig has it: one that no id is above is the largest of its text.
std::optional<std::int64_t> huggingface_end_token(const JsonSection& text) {
  const auto end = text.integer("eos_token_id");
  if (!end) return std::nullopt;
  const auto vocabulary = text.size("vocab_size").value_or(TextTransformerConfig().vocabulary_size);
  const bool largest = *end == kHuggingFaceLegacyEnd || (vocabulary > 0 && *end == vocabulary - 1);
  return largest ? kLargestToken : *end;
}

void read_huggingface_preprocessor(const std::filesystem::path& folder, ModelDescription& description) {
  const auto path = folder / kHuggingFacePreprocessor;
  std::error_code absent;
  if (!std::filesystem::exists(path, absent)) return;
  const auto content = read_json_object(path);
  const JsonSection preprocessor(content, path.string() + ": ");
  description.mean = preprocessor.numbers("image_mean");
  description.std = preprocessor.numbers("image_std");
}

const char* huggingface_name(Activation activation) {
  return activation == Activation::gelu ? "gelu" : "quick_gelu";
}

}  // namespace

ModelDescription read_huggingface_description(const std::filesystem::path& folder) {
  const auto path = folder / kHuggingFaceConfig;
  const auto content = read_json_object(path);
  const JsonSection config(content, path.string() + ": ");
  if (const auto type = config.text("model_type").value_or(""); type != "clip")
    config.fail("model_type", fmt::format("{} is not supported, clip is", quoted_name(type)));
  const auto vision = config.required_section("vision_config"), text = config.required_section("text_config");
  ModelDescription description;
  description.origin = kHuggingFaceConfig;
  description.embed_dim = config.size("projection_dim");
  for (const auto& encoder : {vision, text}) require_encoder_eps(encoder);
  description.vision_activation = huggingface_activation(vision);
  description.text_activation = huggingface_activation(text);
  description.vision = {.image_size = vision.square_side("image_size"),
                        .patch_size = vision.square_side("patch_size"),
                        .width = vision.size("hidden_size"),
                        .layers = vision.size("num_hidden_layers"),
                        .heads = vision.size("num_attention_heads").value_or(12),
                        .mlp_width = vision.size("intermediate_size"),
                        .layer_scale = {},
                        .stages = {}};
  description.text = {.context_length = text.size("max_position_embeddings"),
                      .vocabulary_size = text.size("vocab_size"),
                      .width = text.size("hidden_size"),
                      .layers = text.size("num_hidden_layers"),
                      .heads = text.size("num_attention_heads").value_or(8),
                      .mlp_width = text.size("intermediate_size"),
                      .end_token = huggingface_end_token(text).value_or(kLargestToken),
                      .layer_scale = {}};
  read_huggingface_preprocessor(folder, description);
  return description;
}

nlohmann::ordered_json huggingface_config(const ActionClipConfig& model, std::string_view dtype) {
  const VisionConfig& vision = model.vision;
  const TextTransformerConfig& text = model.text;
  const bool largest = text.end_token == kLargestToken;
  return {{"architectures", nlohmann::ordered_json::array({"CLIPModel"})},
          {"model_type", "clip"},
          {"projection_dim", vision.output_dim},
          {"torch_dtype", dtype},
          {"text_config",
           {{"model_type", "clip_text_model"},
            {"hidden_size", text.width},
            {"intermediate_size", mlp_width_of(text.mlp_width, text.width)},
            {"num_hidden_layers", text.layers},
            {"num_attention_heads", text.heads},
            {"max_position_embeddings", text.context_length},
            {"vocab_size", text.vocabulary_size},
            {"projection_dim", text.output_dim},
            {"hidden_act", huggingface_name(text.activation)},
            {"layer_norm_eps", kEncoderLayerNormEps},
            {"bos_token_id", 0},  // of no effect in the model, as the next but one
            {"eos_token_id", largest ? kHuggingFaceLegacyEnd : text.end_token},
            {"pad_token_id", 1}}},
          {"vision_config",
           {{"model_type", "clip_vision_model"},
            {"hidden_size", vision.width},
            {"intermediate_size", mlp_width_of(vision.mlp_width, vision.width)},
            {"num_hidden_layers", vision.layers},
            {"num_attention_heads", vision.heads},
            {"num_channels", 3},
            {"image_size", vision.image_size},
            {"patch_size", vision.patch_size},
            {"projection_dim", vision.output_dim},
            {"hidden_act", huggingface_name(vision.activation)},
            {"layer_norm_eps", kEncoderLayerNormEps}}}};
}

nlohmann::ordered_json huggingface_preprocessor(const ActionClipConfig& model) {
  const auto side = model.vision.image_size;
  constexpr int kBicubic = 3;  // PIL's number
  return {{"image_processor_type", "CLIPImageProcessor"},
          {"do_convert_rgb", true},
          {"do_resize", true},
          {"size", {{"shortest_edge", side}}},
          {"resample", kBicubic},
          {"do_center_crop", true},
          {"crop_size", {{"height", side}, {"width", side}}},
          {"do_rescale", true},
          {"rescale_factor", 1.0 / 255},
          {"do_normalize", true},
          {"image_mean", model.mean},
          {"image_std", model.std}};
}

}  // namespace actionclip
